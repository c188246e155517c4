// A requantizer that takes its scale as one word, behind the clamp of accumulators that saturate
// once at the end.
module column_requantizer #(
    parameter SUM_BITS = 40,
    parameter FINAL_BITS = 0,  // to which sums are clamped first; 0: they are not
    parameter BIAS_BITS = 40,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,
    parameter ROUNDING = "half_up",
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

  wire signed [SUM_BITS-1:0] exact = sum;
  wire signed [SUM_BITS-1:0] bounded;
  generate
    if (FINAL_BITS == 0) begin : as_it_is
      assign bounded = exact;
    end else begin : clamped
      wire leaves = exact[SUM_BITS-1:FINAL_BITS-1] != {(SUM_BITS - FINAL_BITS + 1) {exact[SUM_BITS-1]}};
      wire signed [FINAL_BITS-1:0] last = {exact[SUM_BITS-1], {(FINAL_BITS - 1) {~exact[SUM_BITS-1]}}};
      assign bounded = leaves ? last : exact;
    end
  endgenerate

  requantizer #(
      .SUM_BITS(SUM_BITS),
      .BIAS_BITS(BIAS_BITS),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .CODE_BITS(CODE_BITS),
      .ROUNDING(ROUNDING)
  ) requantizer (
      .clock(clock),
      .reset(reset),
      .sum_valid(sum_valid),
      .sum(bounded),
      .bias(scale[BIAS_BITS-1:0]),
      .multiplier(scale[MULTIPLIER_AT+:MULTIPLIER_BITS]),
      .shift(scale[SHIFT_AT+:SHIFT_BITS]),
      .zero_point(scale[CODES_AT+:CODE_BITS]),
      .low(scale[CODES_AT+CODE_BITS+:CODE_BITS]),
      .high(scale[CODES_AT+2*CODE_BITS+:CODE_BITS]),
      .code_valid(code_valid),
      .code(code)
  );
endmodule
