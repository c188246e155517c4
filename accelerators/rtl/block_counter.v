// Counts blocks of `items` items each: which block the present item belongs to.
module block_counter #(
    parameter ADDRESS_BITS = 4,
    parameter COUNT_BITS = 24
) (
    input clock,
    input reset,
    input [COUNT_BITS-1:0] items,
    input next,
    output reg [ADDRESS_BITS-1:0] block
);
  reg [COUNT_BITS-1:0] item;
  wire item_is_last = item == items - 1'b1;

  always @(posedge clock) begin
    if (reset) begin
      item  <= 0;
      block <= 0;
    end else if (next) begin
      item <= item_is_last ? 0 : item + 1'b1;
      if (item_is_last) block <= block + 1'b1;
    end
  end
endmodule
