// The memory of sums behind a column whose elements hold operands: a column's sum is shifted to its
// place and added to what its entry holds, or begins it; the last one of an output goes on instead
// of being kept. Reading, adding and writing take one cycle.
module column_accumulator #(
    parameter ENTRIES = 64,
    parameter ENTRY_BITS = 6,
    parameter ADDED_BITS = 21,
    parameter SUM_BITS = 40,
    parameter PLACE_BITS = 5
) (
    input clock,
    input valid,
    input first,
    input last,
    input [PLACE_BITS-1:0] place,
    input [ENTRY_BITS-1:0] entry,
    input [ADDED_BITS-1:0] added,
    output sum_valid,
    output [SUM_BITS-1:0] sum
);
  reg [SUM_BITS-1:0] sums[0:ENTRIES-1];
  wire [SUM_BITS-1:0] kept = sums[entry];

  accumulator_step #(
      .ADDED_BITS(ADDED_BITS),
      .SUM_BITS(SUM_BITS),
      .PLACE_BITS(PLACE_BITS)
  ) step (
      .sum_in(first ? {SUM_BITS{1'b0}} : kept),
      .added(added),
      .place(place),
      .subtract(1'b0),
      .sum_out(sum)
  );
  assign sum_valid = valid & last;

  always @(posedge clock) if (valid & ~last) sums[entry] <= sum;
endmodule
