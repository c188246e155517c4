// A requantizer that takes its scale as one word. Of an accumulator of a declared width, the sum
// with its bias wraps or stops at the ends of OVERFLOW_BITS before it is scaled.
// docs/operators/accumulators.md
module column_requantizer #(
    parameter SUM_BITS = 40,
    parameter OVERFLOW = "error",  // it was proven not to happen; or "wrap", "saturate_final"
    parameter OVERFLOW_BITS = 40,
    parameter BIAS_BITS = 40,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,
    parameter ROUNDING = "half_up",
    parameter ZERO_POINT_FIRST = 0,
    parameter SCALE_BITS = BIAS_BITS + MULTIPLIER_BITS + SHIFT_BITS + 3 * CODE_BITS
) (
    input clock,
    input reset,
    input sum_valid,
    input [SUM_BITS-1:0] sum,
    input [SCALE_BITS-1:0] scale,  // {high, low, zero point, shift, multiplier, bias}
    output code_valid,
    output [CODE_BITS-1:0] code
);
  localparam MULTIPLIER_AT = BIAS_BITS;
  localparam SHIFT_AT = MULTIPLIER_AT + MULTIPLIER_BITS;
  localparam CODES_AT = SHIFT_AT + SHIFT_BITS;

  localparam BIASED_BITS = (SUM_BITS > BIAS_BITS ? SUM_BITS : BIAS_BITS) + 1;

  wire signed [SUM_BITS-1:0] signed_sum = sum;
  wire signed [BIAS_BITS-1:0] bias = scale[BIAS_BITS-1:0];
  wire signed [BIASED_BITS-1:0] biased = signed_sum + bias;
  wire signed [(OVERFLOW == "error" ? SUM_BITS : OVERFLOW_BITS)-1:0] accumulated;
  wire signed [BIAS_BITS-1:0] added;
  generate
    if (OVERFLOW == "error") begin : exact
      assign accumulated = signed_sum;
      assign added = bias;
    end else begin : declared
      assign added = {BIAS_BITS{1'b0}};
      if (OVERFLOW == "wrap") begin : wraps
        assign accumulated = biased[OVERFLOW_BITS-1:0];
      end else begin : saturates
        clamp #(
            .VALUE_BITS(BIASED_BITS),
            .CODE_BITS(OVERFLOW_BITS)
        ) ends (
            .value(biased),
            .low({1'b1, {(OVERFLOW_BITS - 1) {1'b0}}}),
            .high({1'b0, {(OVERFLOW_BITS - 1) {1'b1}}}),
            .code(accumulated)
        );
      end
    end
  endgenerate

  requantizer #(
      .SUM_BITS(OVERFLOW == "error" ? SUM_BITS : OVERFLOW_BITS),
      .BIAS_BITS(BIAS_BITS),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .CODE_BITS(CODE_BITS),
      .ROUNDING(ROUNDING),
      .ZERO_POINT_FIRST(ZERO_POINT_FIRST)
  ) requantizer (
      .clock(clock),
      .reset(reset),
      .sum_valid(sum_valid),
      .sum(accumulated),
      .bias(added),
      .multiplier(scale[MULTIPLIER_AT+:MULTIPLIER_BITS]),
      .shift(scale[SHIFT_AT+:SHIFT_BITS]),
      .zero_point(scale[CODES_AT+:CODE_BITS]),
      .low(scale[CODES_AT+CODE_BITS+:CODE_BITS]),
      .high(scale[CODES_AT+2*CODE_BITS+:CODE_BITS]),
      .code_valid(code_valid),
      .code(code)
  );
endmodule
