// What a grid whose elements keep outputs does in which cycle: for every output of a tile `steps`
// times LANES operands, of each of them every digit of the weights with every digit of the
// activations, tile after tile.
//
// An operand is taken with its first digits and held at the array's edge for the others. An output's
// last digits wait until the outputs before it have left their column far enough: ROWS cycles behind
// the last ones of the tile before.
// docs/rtl.md
module output_sequencer #(
    parameter ROWS = 8,
    parameter WEIGHT_PLACE = 8,       // by which a weight's next digit is shifted
    parameter ACTIVATION_PLACE = 8,   // by which an activation's next digit is shifted
    parameter WEIGHT_SERIAL = 0,      // weights are bits, of which the sign bit's products are subtracted
    parameter ACTIVATION_SERIAL = 0,  // so are activations
    parameter PLACE_BITS = 5,
    parameter INDEX_BITS = 5,
    parameter COUNT_BITS = 24,
    parameter CONTROL_BITS = 6 + PLACE_BITS
) (
    input clock,
    input reset,
    input enable,                         // scales are there
    input [COUNT_BITS-1:0] tiles,
    input [COUNT_BITS-1:0] steps,
    input [INDEX_BITS-1:0] weight_digits,
    input [INDEX_BITS-1:0] activation_digits,
    input activations_signed,
    input operands_valid,
    output take,                          // operands are taken, with their first digits
    output [INDEX_BITS-1:0] weight_index,
    output [INDEX_BITS-1:0] activation_index,
    output [CONTROL_BITS-1:0] control     // as output_element has it
);
  localparam WAIT_BITS = $clog2(ROWS + 1);

  reg [COUNT_BITS-1:0] tile, step;
  reg [INDEX_BITS-1:0] weight_digit, activation_digit;
  reg [PLACE_BITS-1:0] weight_place, activation_place;
  reg [WAIT_BITS-1:0] wait_for_drain;

  wire top_weight_digit = weight_digit == weight_digits - 1'b1;
  wire top_activation_digit = activation_digit == activation_digits - 1'b1;
  wire last_pair = top_weight_digit & top_activation_digit;
  wire first_pair = weight_digit == 0 & activation_digit == 0;
  wire first = step == 0 & first_pair;
  wire last = step == steps - 1'b1 & last_pair;
  wire present = enable & tile != tiles & (operands_valid | ~first_pair);
  wire valid = present & ~(last & wait_for_drain != 0);
  wire subtract = (WEIGHT_SERIAL != 0 & top_weight_digit)
      ^ (ACTIVATION_SERIAL != 0 & top_activation_digit & activations_signed);
  wire [PLACE_BITS-1:0] place = weight_place + activation_place;

  assign take = valid & first_pair;
  assign weight_index = weight_digit;
  assign activation_index = activation_digit;
  assign control = {
    place, top_weight_digit, top_activation_digit & activations_signed, subtract, last, first, valid
  };

  always @(posedge clock) begin
    if (reset) begin
      tile <= 0;
      step <= 0;
      weight_digit <= 0;
      activation_digit <= 0;
      weight_place <= 0;
      activation_place <= 0;
      wait_for_drain <= 0;
    end else begin
      if (wait_for_drain != 0) wait_for_drain <= wait_for_drain - 1'b1;
      if (valid) begin
        activation_digit <= top_activation_digit ? 0 : activation_digit + 1'b1;
        activation_place <= top_activation_digit ? 0 : activation_place + ACTIVATION_PLACE;
        if (top_activation_digit) begin
          weight_digit <= top_weight_digit ? 0 : weight_digit + 1'b1;
          weight_place <= top_weight_digit ? 0 : weight_place + WEIGHT_PLACE;
        end
        if (last_pair) step <= last ? 0 : step + 1'b1;
        if (last) begin
          tile <= tile + 1'b1;
          wait_for_drain <= ROWS - 1;
        end
      end
    end
  end
endmodule
