// Multipliers of 2 x 2 bits that join to products of the widths at hand, all of one output: one of
// WEIGHT_BITS x ACTIVATION_BITS, or more of narrower operands. A mode m stands for 2^m bits; of
// operands wider than the unit, a slice at a time takes part.
//
// The products' operands lie side by side, the first one lowest. Brick (i, j) multiplies the digit
// i of a weight with the digit j of an activation, modulo the digits that they have; the topmost
// ones have the sign. Sums of neighbouring bricks join pairwise, first along the activations, then
// along the weights: the second of a pair is shifted to its place if both belong to one product.
// Combinational. docs/datapaths/composable.md
module fusion_unit #(
    parameter WEIGHT_BITS = 8,  // powers of two, at least 2
    parameter ACTIVATION_BITS = 8,
    parameter OPERAND_BITS = 16,
    parameter MODE_BITS = 3,
    parameter INDEX_BITS = 3,
    parameter WEIGHTS_BITS = OPERAND_BITS * ACTIVATION_BITS / 2,
    parameter ACTIVATIONS_BITS = ACTIVATION_BITS * WEIGHT_BITS / 2,
    parameter SUM_BITS = WEIGHT_BITS + ACTIVATION_BITS + 10
) (
    input [MODE_BITS-1:0] weight_mode,
    input [MODE_BITS-1:0] activation_mode,
    input [INDEX_BITS-1:0] weight_slice,
    input weights_signed,
    input activations_signed,
    input [WEIGHTS_BITS-1:0] weights,
    input [ACTIVATIONS_BITS-1:0] activations,
    output signed [SUM_BITS-1:0] sum
);
  localparam I = WEIGHT_BITS / 2;
  localparam J = ACTIVATION_BITS / 2;
  localparam I_LEVELS = $clog2(I);
  localparam J_LEVELS = $clog2(J);
  localparam PRODUCT_BITS = 6;
  localparam LEVELS = J_LEVELS + I_LEVELS;

  function integer bits_at;  // of a sum of 2^level bricks: a carry a level, and how far they reach
    input integer level;
    bits_at = PRODUCT_BITS + level + (level <= J_LEVELS ? (2 << level) - 2
        : 2 * J - 4 + (2 << (level - J_LEVELS)));
  endfunction

  wire [I*ACTIVATION_BITS-1:0] digits;
  field_slices #(
      .FIELDS(J),
      .NATIVE_BITS(WEIGHT_BITS),
      .OPERAND_BITS(OPERAND_BITS),
      .MODE_BITS(MODE_BITS),
      .INDEX_BITS(INDEX_BITS)
  ) weight_cut (
      .mode(weight_mode),
      .index(weight_slice),
      .operands(weights),
      .slices(digits)
  );

  // Of what the unit is set to, a bit a width; widths beyond its own are its widest.
  wire [I_LEVELS:0] weight_width;
  wire [J_LEVELS:0] activation_width;
  genvar i, j, level, pair;
  generate
    for (i = 0; i <= I_LEVELS; i = i + 1) begin : weight_widths
      assign weight_width[i] = i == I_LEVELS ? weight_mode > i : weight_mode == i + 1;
    end
    for (j = 0; j <= J_LEVELS; j = j + 1) begin : activation_widths
      assign activation_width[j] = j == J_LEVELS ? activation_mode > j : activation_mode == j + 1;
    end
    for (i = 0; i < I; i = i + 1) begin : brick_rows
      for (j = 0; j < J; j = j + 1) begin : bricks
        wire signed [PRODUCT_BITS-1:0] product;
        fusion_brick #(
            .WEIGHT_MODES(I_LEVELS + 1),
            .ACTIVATION_MODES(J_LEVELS + 1),
            .ROW(i),
            .COLUMN(j)
        ) brick (
            .weight_width(weight_width),
            .activation_width(activation_width),
            .weights_signed(weights_signed),
            .activations_signed(activations_signed),
            .weights(digits),
            .activations(activations),
            .product(product)
        );
      end
    end

    // Level 0 are the bricks, row by row; each level has half as many sums.
    for (level = 0; level <= LEVELS; level = level + 1) begin : levels
      wire [(I*J>>level)*bits_at(level)-1:0] sums;
    end
    for (pair = 0; pair < I * J; pair = pair + 1) begin : bottom
      assign levels[0].sums[pair*PRODUCT_BITS+:PRODUCT_BITS] =
          brick_rows[pair/J].bricks[pair%J].product;
    end
    for (level = 0; level < LEVELS; level = level + 1) begin : joins
      localparam ALONG_WEIGHTS = level >= J_LEVELS;
      localparam STEP = ALONG_WEIGHTS ? level - J_LEVELS : level;
      localparam BITS = bits_at(level);
      localparam WIDE = bits_at(level + 1);
      wire joined = (ALONG_WEIGHTS ? weight_mode : activation_mode) > STEP + 1;
      for (pair = 0; pair < I * J >> (level + 1); pair = pair + 1) begin : pairs
        wire signed [BITS-1:0] low = levels[level].sums[2*pair*BITS+:BITS];
        wire signed [BITS-1:0] high = levels[level].sums[(2*pair+1)*BITS+:BITS];
        wire signed [WIDE-1:0] wide = high;
        wire signed [WIDE-1:0] total = low + (joined ? wide <<< (2 << STEP) : wide);
        assign levels[level+1].sums[pair*WIDE+:WIDE] = total;
      end
    end
  endgenerate
  wire signed [bits_at(LEVELS)-1:0] whole = levels[LEVELS].sums;
  assign sum = whole;
endmodule
