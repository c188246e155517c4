// When a column's drain registers move: ROWS cycles from the one in which the bottom element's own
// output is there. Row r has had all that lies above it after r of them, and must not move longer:
// the elements above may hold the next outputs by then.
//
// Timing: `bottom_done` in cycle t; outputs leave the column in cycles t + 1 to t + ROWS, those of
// the bottom row first.
// docs/rtl.md
module drain_controller #(
    parameter ROWS = 8
) (
    input clock,
    input reset,
    input bottom_done,        // the bottom element takes its last operands of an output
    output leaving,           // the bottom drain register holds an output that leaves now
    output leaving_last,      // and it is the top row's
    output [ROWS-1:0] shifts  // by row: its drain register takes that of the row above
);
  localparam COUNT_BITS = $clog2(ROWS + 1);

  reg [COUNT_BITS-1:0] remaining;
  assign leaving = remaining != 0;
  assign leaving_last = remaining == 1;

  genvar row;
  generate
    for (row = 0; row < ROWS; row = row + 1) begin : rows
      assign shifts[row] = remaining > ROWS - row;
    end
  endgenerate

  always @(posedge clock) begin
    if (reset) remaining <= 0;
    else if (bottom_done) remaining <= ROWS;
    else if (leaving) remaining <= remaining - 1'b1;
  end
endmodule
