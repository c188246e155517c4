// One lane of a processing element that keeps its output: what a digit of an activation and a digit
// of a weight give, before the shift that all lanes of the element have in common.
//
// KIND               activation's digit   weight's digit                  product
// "multiply"         slice                slice                           activation * weight
// "gate_weight"      one bit              slice                           weight or 0
// "gate_activation"  slice                one bit                         activation or 0
// "count_bits"       one bit              one bit                         1 or 0
// "shift_add"        slice                {present, negative, exponent}   +-activation << exponent or 0
//
// A slice is signed where its flag says so: the topmost of a signed operand. Combinational.
// docs/rtl.md
module lane_product #(
    parameter KIND = "multiply",
    parameter ACTIVATION_BITS = 8,  // of an activation's digit
    parameter WEIGHT_BITS = 8,      // of a weight's digit
    parameter PRODUCT_BITS = 18     // holds every product, with sign
) (
    input activation_signed,
    input weight_signed,
    input [ACTIVATION_BITS-1:0] activation,
    input [WEIGHT_BITS-1:0] weight,
    output signed [PRODUCT_BITS-1:0] product
);
  wire signed [ACTIVATION_BITS:0] whole_activation =
      {activation_signed & activation[ACTIVATION_BITS-1], activation};
  wire signed [WEIGHT_BITS:0] whole_weight = {weight_signed & weight[WEIGHT_BITS-1], weight};

  generate
    if (KIND == "multiply") begin : multiply
      assign product = whole_activation * whole_weight;
    end else if (KIND == "gate_weight") begin : gate_weight
      assign product = activation[0] ? whole_weight : 0;
    end else if (KIND == "gate_activation") begin : gate_activation
      assign product = weight[0] ? whole_activation : 0;
    end else if (KIND == "count_bits") begin : count_bits
      wire signed [1:0] counted = {1'b0, activation[0] & weight[0]};
      assign product = counted;
    end else begin : shift_add
      wire present = weight[WEIGHT_BITS-1];
      wire negative = weight[WEIGHT_BITS-2];
      wire signed [PRODUCT_BITS-1:0] whole = whole_activation;
      wire signed [PRODUCT_BITS-1:0] shifted = whole <<< weight[WEIGHT_BITS-3:0];
      assign product = present ? (negative ? -shifted : shifted) : 0;
    end
  endgenerate
endmodule
