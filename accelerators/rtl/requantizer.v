// Sums to codes, one a cycle: clamp(round((sum + bias) * multiplier / 2^shift) + zero_point).
//
// Timing: a sum in cycle t, with its scale, is `code` in cycle t + 3. Stage 1 registers the
// product, stage 2 the rounded shift, stage 3 the clamped code.
// docs/rtl/units.md, docs/operators/requantize.md; the registers are those of hwsim/verify/stepped.
module requantizer #(
    parameter SUM_BITS = 40,                 // of the accumulator
    parameter BIAS_BITS = 32,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,                // signed: holds codes of 16 bits, signed or not
    parameter [127:0] ROUNDING = "half_up",  // a mode of quant.common.requantization_modes
    parameter ZERO_POINT_FIRST = 0           // 1: added before the (last) rounding
) (
    input clock,
    input reset,
    input sum_valid,
    input signed [SUM_BITS-1:0] sum,
    input signed [BIAS_BITS-1:0] bias,
    input signed [MULTIPLIER_BITS-1:0] multiplier,
    input [SHIFT_BITS-1:0] shift,
    input signed [CODE_BITS-1:0] zero_point,
    input signed [CODE_BITS-1:0] low,
    input signed [CODE_BITS-1:0] high,
    output reg code_valid,
    output reg signed [CODE_BITS-1:0] code
);
  localparam BIASED_BITS = (SUM_BITS > BIAS_BITS ? SUM_BITS : BIAS_BITS) + 1;
  localparam PRODUCT_BITS = BIASED_BITS + MULTIPLIER_BITS;

  // Stage 1: scale.
  wire signed [BIASED_BITS-1:0] biased =
      {{(BIASED_BITS - SUM_BITS) {sum[SUM_BITS-1]}}, sum}
      + {{(BIASED_BITS - BIAS_BITS) {bias[BIAS_BITS-1]}}, bias};
  wire signed [PRODUCT_BITS-1:0] next_product;
  wire [SHIFT_BITS-1:0] next_rest;
  scaling_product #(
      .VALUE_BITS(BIASED_BITS),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ROUNDING(ROUNDING)
  ) scale (
      .exact(1'b0),
      .value(biased),
      .multiplier(multiplier),
      .shift(shift),
      .product(next_product),
      .rest(next_rest)
  );

  reg scaled_valid;
  reg signed [PRODUCT_BITS-1:0] product;
  reg [SHIFT_BITS-1:0] rest;
  reg signed [CODE_BITS-1:0] scaled_zero_point, scaled_low, scaled_high;

  // Stage 2: round and shift.
  wire [CODE_BITS-1:0] origin = ZERO_POINT_FIRST != 0 ? scaled_zero_point : {CODE_BITS{1'b0}};
  wire signed [PRODUCT_BITS:0] next_rounded;
  rounding_shift #(
      .VALUE_BITS(PRODUCT_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ORIGIN_BITS(CODE_BITS),
      .ROUNDING(ROUNDING)
  ) round (
      .value(product),
      .shift(rest),
      .origin(origin),
      .rounded(next_rounded)
  );

  reg rounded_valid;
  reg signed [PRODUCT_BITS:0] rounded;
  reg signed [CODE_BITS-1:0] added, rounded_low, rounded_high;

  // Stage 3: zero point and clamp.
  wire signed [CODE_BITS-1:0] next_code;
  wire signed [PRODUCT_BITS+1:0] moved =
      {rounded[PRODUCT_BITS], rounded}
      + {{(PRODUCT_BITS + 2 - CODE_BITS) {added[CODE_BITS-1]}}, added};
  clamp #(
      .VALUE_BITS(PRODUCT_BITS + 2),
      .CODE_BITS(CODE_BITS)
  ) clamp (
      .value(moved),
      .low(rounded_low),
      .high(rounded_high),
      .code(next_code)
  );

  always @(posedge clock) begin
    scaled_valid <= sum_valid & ~reset;
    product <= next_product;
    rest <= next_rest;
    scaled_zero_point <= zero_point;
    scaled_low <= low;
    scaled_high <= high;

    rounded_valid <= scaled_valid & ~reset;
    rounded <= next_rounded;
    added <= ZERO_POINT_FIRST != 0 ? {CODE_BITS{1'b0}} : scaled_zero_point;
    rounded_low <= scaled_low;
    rounded_high <= scaled_high;

    code_valid <= rounded_valid & ~reset;
    code <= next_code;
  end
endmodule
