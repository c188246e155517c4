// A processing element that holds one operand, or a few narrow ones, while others stream past it.
//
// Streamed operands and their control come from the left and leave to the right, the sum comes from
// above and leaves below with this element's product. Held operands come down the column, each with
// the row it is for; the one for this row waits here until the first streamed operand of its fold.
//
// Timing: an operand on the inputs in cycle t is in `sum_out` from cycle t + 1 on.
// docs/rtl.md; the registers are those of hwsim/verify/stepped.
module stationary_element #(
    parameter KIND = "multiply",  // one product; "bricks": as a fusion unit makes them
    parameter ROW_BITS = 3,
    parameter WEIGHT_BITS = 8,    // of a multiplier's operand that is held (or, of bricks, a weight)
    parameter ACTIVATION_BITS = 8,
    parameter HELD_BITS = 8,      // of all that is held
    parameter STREAM_BITS = 8,    // of all that is streamed
    parameter MODE_BITS = 3,      // see fusion_unit
    parameter INDEX_BITS = 3,
    parameter SUM_BITS = 21,      // of the sum that moves down
    parameter CONTROL_BITS = 4 + INDEX_BITS
) (
    input clock,
    input reset,
    input [ROW_BITS-1:0] row,  // its own, constant
    input [MODE_BITS-1:0] weight_mode,
    input [MODE_BITS-1:0] activation_mode,
    // {slice of the held operand, held signed, streamed signed, first of a fold, valid}
    input [CONTROL_BITS-1:0] control_in,
    input [STREAM_BITS-1:0] stream_in,
    input [ROW_BITS:0] held_row_in,  // {row, valid}
    input [HELD_BITS-1:0] held_in,
    input [SUM_BITS-1:0] sum_in,
    output reg [CONTROL_BITS-1:0] control_out,
    output reg [STREAM_BITS-1:0] stream_out,
    output reg [ROW_BITS:0] held_row_out,
    output reg [HELD_BITS-1:0] held_out,
    output reg [SUM_BITS-1:0] sum_out
);
  wire valid = control_in[0];
  wire first = control_in[1];
  wire streamed_signed = control_in[2];
  wire held_signed = control_in[3];
  wire [INDEX_BITS-1:0] held_slice = control_in[CONTROL_BITS-1:4];

  reg [HELD_BITS-1:0] waiting, in_use;
  wire [HELD_BITS-1:0] held = first ? waiting : in_use;
  wire signed [SUM_BITS-1:0] product;

  generate
    if (KIND == "multiply") begin : multiply
      wire signed [HELD_BITS:0] whole_held = {held_signed & held[HELD_BITS-1], held};
      wire signed [STREAM_BITS:0] whole_streamed = {
        streamed_signed & stream_in[STREAM_BITS-1], stream_in
      };
      assign product = whole_held * whole_streamed;
    end else begin : bricks
      fusion_unit #(
          .WEIGHT_BITS(WEIGHT_BITS),
          .ACTIVATION_BITS(ACTIVATION_BITS),
          .MODE_BITS(MODE_BITS),
          .INDEX_BITS(INDEX_BITS),
          .WEIGHTS_BITS(HELD_BITS),
          .ACTIVATIONS_BITS(STREAM_BITS),
          .SUM_BITS(SUM_BITS)
      ) unit (
          .weight_mode(weight_mode),
          .activation_mode(activation_mode),
          .weight_slice(held_slice),
          .weights_signed(held_signed),
          .activations_signed(streamed_signed),
          .weights(held),
          .activations(stream_in),
          .sum(product)
      );
    end
  endgenerate

  always @(posedge clock) begin
    control_out <= control_in;
    stream_out <= stream_in;
    held_row_out <= held_row_in;
    held_out <= held_in;
    if (reset) begin
      control_out[0] <= 1'b0;
      held_row_out[0] <= 1'b0;
    end
    if (held_row_in == {row, 1'b1}) waiting <= held_in;
    if (valid) begin
      in_use  <= held;
      sum_out <= sum_in + product;
    end
  end
endmodule
