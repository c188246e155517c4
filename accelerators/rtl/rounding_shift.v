// round(value / 2^shift + origin), in the last rounding of a requantization mode.
//
// The origin counts in a rounding that looks at the sign or at whether the integer below is odd;
// elsewhere it could as well be added later. Shifts may exceed VALUE_BITS.
//
// Combinational. docs/operators/requantization/primitive.md
module rounding_shift #(
    parameter VALUE_BITS = 73,
    parameter SHIFT_BITS = 6,
    parameter ORIGIN_BITS = 17,             // at most VALUE_BITS
    parameter [127:0] ROUNDING = "half_up"  // a mode of quant.common.requantization_modes
) (
    input signed [VALUE_BITS-1:0] value,
    input [SHIFT_BITS-1:0] shift,
    input signed [ORIGIN_BITS-1:0] origin,
    output signed [VALUE_BITS:0] rounded
);
  // A bit is appended, for a half.
  wire signed [VALUE_BITS:0] doubled = {value, 1'b0};
  wire signed [VALUE_BITS:0] shifted = doubled >>> shift;
  wire [VALUE_BITS:0] below_value = {shifted[VALUE_BITS], shifted[VALUE_BITS:1]};
  wire [VALUE_BITS:0] wide_origin = {
    {(VALUE_BITS + 1 - ORIGIN_BITS) {origin[ORIGIN_BITS-1]}}, origin
  };
  wire [VALUE_BITS:0] below = below_value + wide_origin;

  wire negative = below[VALUE_BITS];
  wire odd = below[0];
  wire half = shifted[0];
  wire less = |(doubled & ~({(VALUE_BITS + 1) {1'b1}} << shift));  // something under the half

  wire up = ROUNDING == "floor" ? 1'b0
      : ROUNDING == "ceil" ? half | less
      : ROUNDING == "trunc_zero" ? negative & (half | less)
      : ROUNDING == "half_up" || ROUNDING == "shift" || ROUNDING == "tflite_single"
          || ROUNDING == "tflite_neon" || ROUNDING == "tflite_s64" ? half
      : ROUNDING == "half_down" ? half & less
      : ROUNDING == "half_away" || ROUNDING == "nvdla" || ROUNDING == "tflite_double"
          ? half & (less | ~negative)
      : ROUNDING == "half_even" || ROUNDING == "dyadic" ? half & (less | odd)
      : 1'bx;

  assign rounded = below + {{VALUE_BITS{1'b0}}, up};
endmodule
