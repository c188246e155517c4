// A sum and what a cycle adds to it or, for a sign bit's products, subtracts, shifted to its place.
// A sum that leaves SUM_BITS wraps, or stops at the ends. Combinational.
// docs/operators/accumulators.md
module accumulator_step #(
    parameter ADDED_BITS = 18,
    parameter SUM_BITS = 40,
    parameter PLACE_BITS = 5,    // of the place; 1 where the place is always 0
    parameter OVERFLOW = "wrap"  // or "saturate_step"
) (
    input signed [SUM_BITS-1:0] sum_in,
    input signed [ADDED_BITS-1:0] added,
    input [PLACE_BITS-1:0] place,
    input subtract,
    output signed [SUM_BITS-1:0] sum_out
);
  // One bit more than either operand can take, so that what leaves the sum can be seen.
  localparam EXACT_BITS = (SUM_BITS > ADDED_BITS ? SUM_BITS : ADDED_BITS) + 2;

  wire signed [EXACT_BITS-1:0] whole = added;
  wire signed [EXACT_BITS-1:0] placed = whole <<< place;
  wire signed [EXACT_BITS-1:0] exact = subtract ? sum_in - placed : sum_in + placed;

  generate
    if (OVERFLOW == "wrap") begin : wraps
      assign sum_out = exact[SUM_BITS-1:0];
    end else begin : saturates
      wire leaves = exact[EXACT_BITS-1:SUM_BITS-1] != {(EXACT_BITS - SUM_BITS + 1) {exact[EXACT_BITS-1]}};
      assign sum_out = leaves ? {exact[EXACT_BITS-1], {(SUM_BITS - 1) {~exact[EXACT_BITS-1]}}}
                            : exact[SUM_BITS-1:0];
    end
  endgenerate
endmodule
