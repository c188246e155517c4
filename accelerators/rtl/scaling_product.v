// A value times a multiplier, as a requantization mode wants them: the mode's last rounding is that
// of product / 2^rest.
//
// tflite_double, tflite_neon   the value, shifted to the left, wraps to 32 bits; a first rounding,
//                              halves up, takes 31 bits off the product
// tflite_s64                   the multiplier is shortened to 16 bits, of which 0x7FFF is the most
// shift                        no multiplier
// all others                   value * multiplier, and the shift as it is
//
// Combinational. docs/operators/requantization/
module scaling_product #(
    parameter VALUE_BITS = 41,
    parameter MULTIPLIER_BITS = 32,       // 32 in the mode tflite_s64
    parameter SHIFT_BITS = 6,
    parameter [127:0] ROUNDING = "half_up",  // a mode of quant.common.requantization_modes
    parameter PRODUCT_BITS = VALUE_BITS + MULTIPLIER_BITS
) (
    input signed [VALUE_BITS-1:0] value,
    input signed [MULTIPLIER_BITS-1:0] multiplier,
    input [SHIFT_BITS-1:0] shift,
    output signed [PRODUCT_BITS-1:0] product,
    output [SHIFT_BITS-1:0] rest
);
  generate
    if (ROUNDING == "tflite_double" || ROUNDING == "tflite_neon") begin : rounded_twice
      localparam [SHIFT_BITS-1:0] FIRST_SHIFT = 31;
      wire is_left = shift < FIRST_SHIFT;
      wire [SHIFT_BITS-1:0] left = is_left ? FIRST_SHIFT - shift : {SHIFT_BITS{1'b0}};
      wire [VALUE_BITS+31:0] widened = {{32{value[VALUE_BITS-1]}}, value};
      wire [VALUE_BITS+31:0] shifted = widened << left;
      wire signed [31:0] wrapped = shifted[31:0];
      wire signed [MULTIPLIER_BITS+31:0] whole = wrapped * multiplier;
      wire signed [MULTIPLIER_BITS+31:0] half = 1 << 30;
      wire signed [MULTIPLIER_BITS+31:0] upper = (whole + half) >>> 31;
      assign product = {{(VALUE_BITS - 1) {upper[MULTIPLIER_BITS]}}, upper[MULTIPLIER_BITS:0]};
      assign rest = is_left ? {SHIFT_BITS{1'b0}} : shift - FIRST_SHIFT;
      wire unused = &{1'b0, shifted[VALUE_BITS+31:32], upper[MULTIPLIER_BITS+31:MULTIPLIER_BITS+1]};
    end else if (ROUNDING == "tflite_s64") begin : shortened
      localparam [SHIFT_BITS-1:0] DROPPED = 16;
      wire [15:0] upper = multiplier[31:16];
      wire signed [15:0] reduced = upper == 16'h7FFF ? upper : upper + {15'b0, multiplier[15]};
      assign product = value * reduced;
      assign rest = shift - DROPPED;
      wire unused = &{1'b0, multiplier[14:0]};
    end else if (ROUNDING == "shift") begin : unscaled
      assign product = {{MULTIPLIER_BITS{value[VALUE_BITS-1]}}, value};
      assign rest = shift;
      wire unused = &{1'b0, multiplier};
    end else begin : scaled
      assign product = value * multiplier;
      assign rest = shift;
    end
  endgenerate
endmodule
