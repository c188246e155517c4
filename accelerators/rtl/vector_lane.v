// A lane of the vector unit: an element with up to two operands through scale, round and shift,
// add, clamp. Everything a pass needs enters with its operands.
//
// Results are clamp(... + zero_point, low, high), of first and second with their offsets; kinds are
// 0 scale       round(first * first_multiplier / 2^first_shift); where it is marked, by
//               second_multiplier and second_shift
// 1 add         the same of both operands, added
// 2 add_exact   round((first * first_multiplier + second * second_multiplier + bias)
//               / 2^first_shift)
// 3 multiply    first * second / 2^first_shift
// 4 slope       first where it is at least 0, else first * second and marked; / 2^first_shift
// 5 look_up     the table's word at first * first_multiplier + second * second_multiplier + bias
//
// Timing: operands in cycle t, `result` in cycle t + 4.
// docs/datapaths/vector_unit.md, docs/rtl/units.md
module vector_lane #(
    parameter ELEMENT_BITS = 32,             // signed: of operands and results
    parameter MULTIPLIER_BITS = 32,          // signed, at most ELEMENT_BITS + 1
    parameter SHIFT_BITS = 6,
    parameter BIAS_BITS = 64,                // signed, at most 2 * ELEMENT_BITS + 4
    parameter TABLE_BITS = 8,                // of a table's address
    parameter [127:0] ROUNDING = "half_up",  // a mode of quant.common.requantization_modes
    parameter ZERO_POINT_FIRST = 0           // 1: added before the (last) rounding, but of `add`
) (
    input clock,
    input [2:0] kind,
    input [4:0] left_shift,  // of both operands, with their offsets; for tflite_double's additions
    input marked,            // of a kept result, when it comes back as `first`
    input signed [ELEMENT_BITS-1:0] first,
    input signed [ELEMENT_BITS-1:0] second,
    input signed [ELEMENT_BITS-1:0] first_offset,
    input signed [ELEMENT_BITS-1:0] second_offset,
    input signed [MULTIPLIER_BITS-1:0] first_multiplier,
    input signed [MULTIPLIER_BITS-1:0] second_multiplier,
    input [SHIFT_BITS-1:0] first_shift,
    input [SHIFT_BITS-1:0] second_shift,
    input signed [BIAS_BITS-1:0] bias,
    input signed [ELEMENT_BITS-1:0] zero_point,
    input signed [ELEMENT_BITS-1:0] low,
    input signed [ELEMENT_BITS-1:0] high,
    output [TABLE_BITS-1:0] table_code,           // in cycle t + 1
    input signed [ELEMENT_BITS-1:0] table_word,   // in the same cycle
    output reg result_marked,
    output reg signed [ELEMENT_BITS-1:0] result
);
  localparam [2:0] ADD = 1, ADD_EXACT = 2, MULTIPLY = 3, SLOPE = 4, LOOK_UP = 5;
  // Products of elements need a multiplier even where scales do not.
  localparam [127:0] MODE = ROUNDING == "shift" ? "half_up" : ROUNDING;
  localparam VALUE_BITS = ELEMENT_BITS + 1;
  localparam PRODUCT_BITS = 2 * VALUE_BITS;
  localparam TOTAL_BITS = PRODUCT_BITS + 2;
  localparam ROUNDED_BITS = TOTAL_BITS + 1;
  localparam SUM_BITS = ROUNDED_BITS + 2;

  // Stage 1: scale.
  wire signed [VALUE_BITS-1:0] first_value =
      ({first[ELEMENT_BITS-1], first} + {first_offset[ELEMENT_BITS-1], first_offset}) << left_shift;
  wire signed [VALUE_BITS-1:0] second_value =
      ({second[ELEMENT_BITS-1], second} + {second_offset[ELEMENT_BITS-1], second_offset})
      << left_shift;
  wire [VALUE_BITS-1:0] first_scale = {
    {(VALUE_BITS - MULTIPLIER_BITS) {first_multiplier[MULTIPLIER_BITS-1]}}, first_multiplier
  };
  wire [VALUE_BITS-1:0] second_scale = {
    {(VALUE_BITS - MULTIPLIER_BITS) {second_multiplier[MULTIPLIER_BITS-1]}}, second_multiplier
  };
  wire below_zero = first_value[VALUE_BITS-1];
  wire [VALUE_BITS-1:0] one = 1;
  wire signed [VALUE_BITS-1:0] first_factor =
      kind == MULTIPLY || (kind == SLOPE && below_zero) ? second_value
      : kind == SLOPE ? one
      : marked ? second_scale : first_scale;
  wire exact = kind == ADD_EXACT || kind == MULTIPLY || kind == SLOPE || kind == LOOK_UP;

  wire signed [PRODUCT_BITS-1:0] next_first_product, next_second_product;
  wire [SHIFT_BITS-1:0] next_first_rest, next_second_rest;
  scaling_product #(
      .VALUE_BITS(VALUE_BITS),
      .MULTIPLIER_BITS(VALUE_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ROUNDING(MODE)
  ) scale_first (
      .exact(exact),
      .value(first_value),
      .multiplier(first_factor),
      .shift(marked ? second_shift : first_shift),
      .product(next_first_product),
      .rest(next_first_rest)
  );
  scaling_product #(
      .VALUE_BITS(VALUE_BITS),
      .MULTIPLIER_BITS(VALUE_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ROUNDING(MODE)
  ) scale_second (
      .exact(exact),
      .value(second_value),
      .multiplier(second_scale),
      .shift(second_shift),
      .product(next_second_product),
      .rest(next_second_rest)
  );

  reg [2:0] scaled_kind;
  reg scaled_marked;
  reg signed [PRODUCT_BITS-1:0] first_product, second_product;
  reg [SHIFT_BITS-1:0] first_rest, second_rest;
  reg signed [BIAS_BITS-1:0] scaled_bias;
  reg signed [ELEMENT_BITS-1:0] scaled_zero_point, scaled_low, scaled_high;

  // Stage 2: round and shift.
  wire joins = scaled_kind == ADD_EXACT || scaled_kind == LOOK_UP;
  wire signed [TOTAL_BITS-1:0] wide_first = {{2{first_product[PRODUCT_BITS-1]}}, first_product};
  wire signed [TOTAL_BITS-1:0] wide_second = {{2{second_product[PRODUCT_BITS-1]}}, second_product};
  wire signed [TOTAL_BITS-1:0] wide_bias = {
    {(TOTAL_BITS - BIAS_BITS) {scaled_bias[BIAS_BITS-1]}}, scaled_bias
  };
  wire signed [TOTAL_BITS-1:0] total = joins ? wide_first + wide_second + wide_bias : wide_first;
  assign table_code = total[TABLE_BITS-1:0];

  wire moves_first = ZERO_POINT_FIRST != 0 && scaled_kind != ADD;
  wire [ELEMENT_BITS-1:0] origin = moves_first ? scaled_zero_point : {ELEMENT_BITS{1'b0}};
  wire signed [ROUNDED_BITS-1:0] next_first_rounded;
  wire signed [PRODUCT_BITS:0] next_second_rounded;
  rounding_shift #(
      .VALUE_BITS(TOTAL_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ORIGIN_BITS(ELEMENT_BITS),
      .ROUNDING(MODE)
  ) round_first (
      .value(total),
      .shift(first_rest),
      .origin(origin),
      .rounded(next_first_rounded)
  );
  rounding_shift #(
      .VALUE_BITS(PRODUCT_BITS),
      .SHIFT_BITS(SHIFT_BITS),
      .ORIGIN_BITS(1),
      .ROUNDING(MODE)
  ) round_second (
      .value(second_product),
      .shift(second_rest),
      .origin(1'b0),
      .rounded(next_second_rounded)
  );

  reg rounded_marked;
  reg signed [ROUNDED_BITS-1:0] first_rounded;
  reg signed [PRODUCT_BITS:0] second_rounded;
  reg signed [ELEMENT_BITS-1:0] added, rounded_low, rounded_high;

  // Stage 3: add.
  reg sum_marked;
  reg signed [SUM_BITS-1:0] sum;
  reg signed [ELEMENT_BITS-1:0] sum_low, sum_high;

  // Stage 4: clamp.
  wire signed [ELEMENT_BITS-1:0] next_result;
  clamp #(
      .VALUE_BITS(SUM_BITS),
      .CODE_BITS(ELEMENT_BITS)
  ) clamp (
      .value(sum),
      .low(sum_low),
      .high(sum_high),
      .code(next_result)
  );

  always @(posedge clock) begin
    scaled_kind <= kind;
    scaled_marked <= kind == SLOPE && below_zero;
    first_product <= next_first_product;
    second_product <= next_second_product;
    first_rest <= next_first_rest;
    second_rest <= next_second_rest;
    scaled_bias <= bias;
    scaled_zero_point <= zero_point;
    scaled_low <= low;
    scaled_high <= high;

    rounded_marked <= scaled_marked;
    first_rounded <= scaled_kind == LOOK_UP
        ? {{(ROUNDED_BITS - ELEMENT_BITS) {table_word[ELEMENT_BITS-1]}}, table_word}
        : next_first_rounded;
    second_rounded <= scaled_kind == ADD ? next_second_rounded : {(PRODUCT_BITS + 1) {1'b0}};
    added <= moves_first ? {ELEMENT_BITS{1'b0}} : scaled_zero_point;
    rounded_low <= scaled_low;
    rounded_high <= scaled_high;

    sum_marked <= rounded_marked;
    sum <= {{2{first_rounded[ROUNDED_BITS-1]}}, first_rounded}
        + {{(SUM_BITS - PRODUCT_BITS - 1) {second_rounded[PRODUCT_BITS]}}, second_rounded}
        + {{(SUM_BITS - ELEMENT_BITS) {added[ELEMENT_BITS-1]}}, added};
    sum_low <= rounded_low;
    sum_high <= rounded_high;

    result_marked <= sum_marked;
    result <= next_result;
  end
endmodule
