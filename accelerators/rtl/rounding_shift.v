// A value divided by a power of two and rounded to an integer; combinational.
//
//   quotient = round(value / 2^shift + origin)
//
// The origin is added before the rounding: it counts where a rounding looks at the sign or at the
// parity of what it rounds. Any shift is allowed, also one beyond the value's bits.
//
// VALUE_BITS    of the value, signed
// SHIFT_BITS    of the shift, unsigned
// ORIGIN_BITS   of the origin, signed; at most VALUE_BITS
// ROUNDING      floor, ceil, trunc_zero, half_up, half_down, half_away or half_even
//
// docs/operators/requantization/primitive.md
module rounding_shift #(
    parameter VALUE_BITS = 64,
    parameter SHIFT_BITS = 6,
    parameter ORIGIN_BITS = 17,
    parameter [127:0] ROUNDING = "half_up"
) (
    input  signed [ VALUE_BITS-1:0] value,
    input         [ SHIFT_BITS-1:0] shift,
    input  signed [ORIGIN_BITS-1:0] origin,
    output signed [   VALUE_BITS:0] quotient
);
  wire signed [VALUE_BITS:0] wide_origin = {
    {(VALUE_BITS + 1 - ORIGIN_BITS) {origin[ORIGIN_BITS-1]}}, origin
  };
  // One more bit on the right catches the half.
  wire signed [VALUE_BITS:0] doubled = {value, 1'b0};
  wire signed [VALUE_BITS:0] shifted = doubled >>> shift;
  wire signed [VALUE_BITS:0] whole = {shifted[VALUE_BITS], shifted[VALUE_BITS:1]};
  wire signed [VALUE_BITS:0] below = whole + wide_origin;

  wire half = shifted[0];
  wire rest = |(doubled & ~({(VALUE_BITS + 1) {1'b1}} << shift));
  wire negative = below[VALUE_BITS];
  wire odd = below[0];

  wire up = ROUNDING == "floor" ? 1'b0
      : ROUNDING == "ceil" ? half | rest
      : ROUNDING == "trunc_zero" ? negative & (half | rest)
      : ROUNDING == "half_up" ? half
      : ROUNDING == "half_down" ? half & rest
      : ROUNDING == "half_away" ? half & (rest | ~negative)
      : ROUNDING == "half_even" ? half & (rest | odd) : 1'bx;

  assign quotient = below + {{VALUE_BITS{1'b0}}, up};
endmodule
