// Loads what elements hold, a row a cycle, row 0 first: the next fold's while the present one's
// stream passes, but not before that stream has begun and its held operands are in use.
module held_loader #(
    parameter ROWS = 8,
    parameter ROW_BITS = 3,
    parameter INDEX_BITS = 3
) (
    input clock,
    input reset,
    input enable,
    input [INDEX_BITS-1:0] loads,         // slices of a held operand, each a fold of its own
    input held_valid,
    output take,
    output [ROW_BITS-1:0] row,
    output [INDEX_BITS-1:0] slice,
    input fold_begins,                    // the first operand of a stream is at the array's edge
    output reg waits                      // a whole fold is on its way to its rows
);
  reg [ROW_BITS-1:0] next_row;
  reg [INDEX_BITS-1:0] load;
  wire last_row = next_row == ROWS - 1;

  assign take  = enable & held_valid & (~waits | fold_begins);
  assign row   = next_row;
  assign slice = load;

  always @(posedge clock) begin
    if (reset) begin
      next_row <= 0;
      load <= 0;
      waits <= 1'b0;
    end else begin
      if (take) begin
        next_row <= last_row ? 0 : next_row + 1'b1;
        if (last_row) load <= load == loads - 1'b1 ? 0 : load + 1'b1;
      end
      if (take & last_row) waits <= 1'b1;
      else if (fold_begins) waits <= 1'b0;
    end
  end
endmodule
