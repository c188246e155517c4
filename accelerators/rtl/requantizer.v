// From sums to codes: bias, multiplier, rounded shift, zero point, clamp. One code a cycle.
//
// Stage 1 registers (sum + bias) * multiplier, stage 2 the rounded shift, stage 3 the clamped
// code. A sum that enters in cycle t is `code` in cycle t + 3; its scale enters with it.
//
// SUM_BITS, BIAS_BITS, MULTIPLIER_BITS   signed
// SHIFT_BITS                             unsigned
// CODE_BITS                              of codes, zero points and limits, signed
// ROUNDING                               an integer mode of quant.common.requantization_modes
// ZERO_POINT_FIRST                       1: the zero point is added before the (last) rounding
//
// docs/rtl/units.md, docs/operators/requantization/
module requantizer #(
    parameter SUM_BITS = 40,
    parameter BIAS_BITS = 32,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,
    parameter [127:0] ROUNDING = "half_up",
    parameter ZERO_POINT_FIRST = 0
) (
    input                               clock,
    input                               reset,
    input                               sum_valid,
    input  signed [       SUM_BITS-1:0] sum,
    input  signed [      BIAS_BITS-1:0] bias,
    input  signed [MULTIPLIER_BITS-1:0] multiplier,
    input         [     SHIFT_BITS-1:0] shift,
    input  signed [      CODE_BITS-1:0] zero_point,
    input  signed [      CODE_BITS-1:0] low,
    input  signed [      CODE_BITS-1:0] high,
    output                              code_valid,
    output signed [      CODE_BITS-1:0] code
);
  localparam BIASED_BITS = (SUM_BITS > BIAS_BITS ? SUM_BITS : BIAS_BITS) + 1;
  localparam PRODUCT_BITS = BIASED_BITS + MULTIPLIER_BITS;

  // Stage 1
  wire signed [BIASED_BITS-1:0] wide_sum = {{(BIASED_BITS - SUM_BITS) {sum[SUM_BITS-1]}}, sum};
  wire signed [BIASED_BITS-1:0] wide_bias = {{(BIASED_BITS - BIAS_BITS) {bias[BIAS_BITS-1]}}, bias};
  wire signed [BIASED_BITS-1:0] biased = wide_sum + wide_bias;
  wire signed [PRODUCT_BITS-1:0] product = biased * multiplier;
  reg product_valid;
  reg signed [PRODUCT_BITS-1:0] product_held;
  reg [SHIFT_BITS-1:0] product_shift;
  reg signed [CODE_BITS-1:0] product_zero_point, product_low, product_high;

  // Stage 2
  wire signed [PRODUCT_BITS:0] rounded;
  reg rounded_valid;
  reg signed [PRODUCT_BITS:0] rounded_held;
  reg signed [CODE_BITS-1:0] rounded_zero_point, rounded_low, rounded_high;

  rounding_shift #(
      .VALUE_BITS(PRODUCT_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ORIGIN_BITS(CODE_BITS),
      .ROUNDING(ROUNDING)
  ) last_rounding (
      .value(product_held),
      .shift(product_shift),
      .origin(ZERO_POINT_FIRST != 0 ? product_zero_point : {CODE_BITS{1'b0}}),
      .quotient(rounded)
  );

  // Stage 3
  localparam MOVED_BITS = PRODUCT_BITS + 2;
  localparam CODE_EXTENSION = MOVED_BITS - CODE_BITS;
  wire [CODE_BITS-1:0] zero_point_after = ZERO_POINT_FIRST != 0 ? {CODE_BITS{1'b0}} : rounded_zero_point;
  wire signed [MOVED_BITS-1:0] wide_low = {{CODE_EXTENSION{rounded_low[CODE_BITS-1]}}, rounded_low};
  wire signed [MOVED_BITS-1:0] wide_high = {{CODE_EXTENSION{rounded_high[CODE_BITS-1]}}, rounded_high};
  wire signed [MOVED_BITS-1:0] moved = {rounded_held[PRODUCT_BITS], rounded_held}
      + {{CODE_EXTENSION{zero_point_after[CODE_BITS-1]}}, zero_point_after};
  reg clamped_valid;
  reg signed [CODE_BITS-1:0] clamped;

  always @(posedge clock) begin
    product_held <= product;
    product_shift <= shift;
    product_zero_point <= zero_point;
    product_low <= low;
    product_high <= high;

    rounded_held <= rounded;
    rounded_zero_point <= product_zero_point;
    rounded_low <= product_low;
    rounded_high <= product_high;

    clamped <= moved < wide_low ? rounded_low
        : moved > wide_high ? rounded_high : moved[CODE_BITS-1:0];

    product_valid <= sum_valid & ~reset;
    rounded_valid <= product_valid & ~reset;
    clamped_valid <= rounded_valid & ~reset;
  end

  assign code_valid = clamped_valid;
  assign code = clamped;
endmodule
