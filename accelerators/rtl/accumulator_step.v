// A sum and what a cycle adds to it or, for a sign bit's products, subtracts, shifted to its place.
// What leaves SUM_BITS wraps. Combinational.
module accumulator_step #(
    parameter ADDED_BITS = 18,
    parameter SUM_BITS = 40,
    parameter PLACE_BITS = 5
) (
    input signed [SUM_BITS-1:0] sum_in,
    input signed [ADDED_BITS-1:0] added,
    input [PLACE_BITS-1:0] place,
    input subtract,
    output signed [SUM_BITS-1:0] sum_out
);
  wire signed [SUM_BITS-1:0] whole = added;
  wire signed [SUM_BITS-1:0] placed = whole <<< place;
  assign sum_out = subtract ? sum_in - placed : sum_in + placed;
endmodule
