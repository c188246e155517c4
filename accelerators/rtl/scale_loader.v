// Takes `count` scales from a stream and says where each belongs: column after column, then the
// next block; with PER_COLUMN 0 all into one memory, one behind the other.
module scale_loader #(
    parameter COLUMNS = 8,
    parameter PER_COLUMN = 1,
    parameter ADDRESS_BITS = 4,
    parameter COUNT_BITS = 24
) (
    input clock,
    input reset,
    input [COUNT_BITS-1:0] count,
    input scales_valid,
    output scales_ready,
    output [COLUMNS-1:0] write,          // by column
    output [ADDRESS_BITS-1:0] address,
    output loaded
);
  localparam COLUMN_BITS = $clog2(COLUMNS + 1);

  reg [COUNT_BITS-1:0] taken;
  reg [COLUMN_BITS-1:0] column;
  reg [ADDRESS_BITS-1:0] block;
  wire column_is_last = PER_COLUMN == 0 | column == COLUMNS - 1;

  assign loaded = taken == count;
  assign scales_ready = ~loaded;
  assign address = block;
  genvar each;
  generate
    for (each = 0; each < COLUMNS; each = each + 1) begin : columns
      assign write[each] = scales_valid & scales_ready & column == each;
    end
  endgenerate

  always @(posedge clock) begin
    if (reset) begin
      taken <= 0;
      column <= 0;
      block <= 0;
    end else if (scales_valid & scales_ready) begin
      taken <= taken + 1'b1;
      column <= column_is_last ? 0 : column + 1'b1;
      if (column_is_last) block <= block + 1'b1;
    end
  end
endmodule
