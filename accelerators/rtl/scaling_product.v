// A value times a multiplier, as a requantization mode wants them: the mode's last rounding is that
// of product / 2^rest.
//
// tflite_double, tflite_neon   the value, shifted to the left, wraps to 32 bits; a first rounding,
//                              halves up, takes 31 bits off the product
// tflite_s64                   the multiplier is shortened to 16 bits, of which 0x7FFF is the most
// shift                        no multiplier
// all others, and where exact  value * multiplier, and the shift as it is
//
// Combinational. docs/operators/requantization/
module scaling_product #(
    parameter VALUE_BITS = 41,
    parameter MULTIPLIER_BITS = 32,          // at least 32 in the mode tflite_s64
    parameter SHIFT_BITS = 6,
    parameter [127:0] ROUNDING = "half_up",  // a mode of quant.common.requantization_modes
    parameter PRODUCT_BITS = VALUE_BITS + MULTIPLIER_BITS
) (
    input exact,  // has no effect in the mode shift
    input signed [VALUE_BITS-1:0] value,
    input signed [MULTIPLIER_BITS-1:0] multiplier,
    input [SHIFT_BITS-1:0] shift,
    output signed [PRODUCT_BITS-1:0] product,
    output [SHIFT_BITS-1:0] rest
);
  generate
    if (ROUNDING == "tflite_double" || ROUNDING == "tflite_neon") begin : rounded_twice
      localparam [SHIFT_BITS-1:0] FIRST_SHIFT = 31;
      localparam FACTOR_BITS = VALUE_BITS > 32 ? VALUE_BITS : 32;
      localparam WHOLE_BITS = FACTOR_BITS + MULTIPLIER_BITS;
      wire is_left = shift < FIRST_SHIFT;
      wire [SHIFT_BITS-1:0] left = is_left ? FIRST_SHIFT - shift : {SHIFT_BITS{1'b0}};
      wire [FACTOR_BITS-1:0] wide = {{(FACTOR_BITS - VALUE_BITS) {value[VALUE_BITS-1]}}, value};
      wire [31:0] shifted = wide[31:0] << left;
      wire [FACTOR_BITS-1:0] wrapped = {{(FACTOR_BITS - 32) {shifted[31]}}, shifted};
      wire signed [FACTOR_BITS-1:0] factor = exact ? wide : wrapped;
      wire signed [WHOLE_BITS-1:0] whole = factor * multiplier;
      wire signed [WHOLE_BITS-1:0] half = 1 << 30;
      wire signed [WHOLE_BITS-1:0] upper = (whole + half) >>> FIRST_SHIFT;
      assign product = exact ? whole[PRODUCT_BITS-1:0] : upper[PRODUCT_BITS-1:0];
      assign rest = exact ? shift : is_left ? {SHIFT_BITS{1'b0}} : shift - FIRST_SHIFT;
    end else if (ROUNDING == "tflite_s64") begin : shortened
      localparam [SHIFT_BITS-1:0] DROPPED = 16;
      wire [15:0] upper = multiplier[31:16];
      wire [15:0] short = upper == 16'h7FFF ? upper : upper + {15'b0, multiplier[15]};
      wire signed [MULTIPLIER_BITS-1:0] reduced = {{(MULTIPLIER_BITS - 16) {short[15]}}, short};
      wire signed [MULTIPLIER_BITS-1:0] factor = exact ? multiplier : reduced;
      assign product = value * factor;
      assign rest = exact ? shift : shift - DROPPED;
    end else if (ROUNDING == "shift") begin : unscaled
      assign product = {{MULTIPLIER_BITS{value[VALUE_BITS-1]}}, value};
      assign rest = shift;
      wire unused = &{1'b0, exact, multiplier};
    end else begin : scaled
      assign product = value * multiplier;
      assign rest = shift;
      wire unused = &{1'b0, exact};
    end
  endgenerate
endmodule
