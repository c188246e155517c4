// Multipliers of 2 x 2 bits that join to products of the widths at hand, all of one output: one of
// WEIGHT_BITS x ACTIVATION_BITS, or more of narrower operands. A mode m stands for 2^m bits; of
// operands wider than the unit, a slice at a time takes part.
//
// The products' operands lie side by side, the first one lowest. A brick is the product of a 2-bit
// digit of a weight and one of an activation; of both, the topmost digit has the sign.
// Combinational. docs/datapaths/composable.md
module fusion_unit #(
    parameter WEIGHT_BITS = 8,  // powers of two, at least 2
    parameter ACTIVATION_BITS = 8,
    parameter MODE_BITS = 3,
    parameter INDEX_BITS = 3,
    parameter WEIGHTS_BITS = 16 * ACTIVATION_BITS / 2,
    parameter ACTIVATIONS_BITS = ACTIVATION_BITS * WEIGHT_BITS / 2,
    parameter SUM_BITS = 21
) (
    input [MODE_BITS-1:0] weight_mode,
    input [MODE_BITS-1:0] activation_mode,
    input [INDEX_BITS-1:0] weight_slice,
    input weights_signed,
    input activations_signed,
    input [WEIGHTS_BITS-1:0] weights,
    input [ACTIVATIONS_BITS-1:0] activations,
    output reg signed [SUM_BITS-1:0] sum
);
  localparam BRICKS = WEIGHT_BITS * ACTIVATION_BITS / 4;
  localparam WEIGHT_MODES = $clog2(WEIGHT_BITS);
  localparam ACTIVATION_MODES = $clog2(ACTIVATION_BITS);
  localparam MODES = WEIGHT_MODES * ACTIVATION_MODES;
  localparam SHIFT_BITS = 5;

  wire [WEIGHT_BITS*ACTIVATION_BITS/2-1:0] weight_digits;
  field_slices #(
      .FIELDS(ACTIVATION_BITS / 2),
      .NATIVE_BITS(WEIGHT_BITS),
      .MODE_BITS(MODE_BITS),
      .INDEX_BITS(INDEX_BITS)
  ) weight_cut (
      .mode(weight_mode),
      .index(weight_slice),
      .operands(weights),
      .slices(weight_digits)
  );

  // Which pair of widths the bricks are joined for, 0 for 2 x 2.
  wire [MODE_BITS-1:0] weight_place = (weight_mode > WEIGHT_MODES ? WEIGHT_MODES : weight_mode) - 1;
  wire [MODE_BITS-1:0] activation_place =
      (activation_mode > ACTIVATION_MODES ? ACTIVATION_MODES : activation_mode) - 1;
  wire [4:0] pair = weight_place * ACTIVATION_MODES + activation_place;

  wire [BRICKS*6-1:0] products;
  wire [BRICKS*SHIFT_BITS-1:0] shifts;
  genvar brick, w, a;
  generate
    for (brick = 0; brick < BRICKS; brick = brick + 1) begin : bricks
      // What this brick is in each pair of widths: its digits, whether they are topmost, its place.
      wire [MODES*2-1:0] weight_choices, activation_choices;
      wire [MODES-1:0] weight_top, activation_top;
      wire [MODES*SHIFT_BITS-1:0] shift_choices;
      for (w = 0; w < WEIGHT_MODES; w = w + 1) begin : weight_widths
        for (a = 0; a < ACTIVATION_MODES; a = a + 1) begin : activation_widths
          localparam WEIGHT_DIGITS = 1 << w;
          localparam ACTIVATION_DIGITS = 1 << a;
          localparam PRODUCT = brick / (WEIGHT_DIGITS * ACTIVATION_DIGITS);
          localparam WITHIN = brick % (WEIGHT_DIGITS * ACTIVATION_DIGITS);
          localparam I = WITHIN / ACTIVATION_DIGITS;
          localparam J = WITHIN % ACTIVATION_DIGITS;
          localparam PAIR = w * ACTIVATION_MODES + a;
          assign weight_choices[PAIR*2+:2] = weight_digits[(PRODUCT*WEIGHT_DIGITS+I)*2+:2];
          assign activation_choices[PAIR*2+:2] = activations[(PRODUCT*ACTIVATION_DIGITS+J)*2+:2];
          assign weight_top[PAIR] = I == WEIGHT_DIGITS - 1;
          assign activation_top[PAIR] = J == ACTIVATION_DIGITS - 1;
          assign shift_choices[PAIR*SHIFT_BITS+:SHIFT_BITS] = 2 * (I + J);
        end
      end
      wire [1:0] weight_digit = weight_choices[pair*2+:2];
      wire [1:0] activation_digit = activation_choices[pair*2+:2];
      wire signed [2:0] weight = {
        weights_signed & weight_top[pair] & weight_digit[1], weight_digit
      };
      wire signed [2:0] activation = {
        activations_signed & activation_top[pair] & activation_digit[1], activation_digit
      };
      wire signed [5:0] product = weight * activation;
      assign products[brick*6+:6] = product;
      assign shifts[brick*SHIFT_BITS+:SHIFT_BITS] = shift_choices[pair*SHIFT_BITS+:SHIFT_BITS];
    end
  endgenerate

  reg signed [5:0] one;
  reg signed [SUM_BITS-1:0] wide;
  integer each;
  always @* begin
    sum = 0;
    for (each = 0; each < BRICKS; each = each + 1) begin
      one  = products[each*6+:6];
      wide = one;
      sum  = sum + (wide <<< shifts[each*SHIFT_BITS+:SHIFT_BITS]);
    end
  end
endmodule
