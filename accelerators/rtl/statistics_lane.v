// Sum, minimum, maximum and number of the elements that a lane is given, from those of an earlier
// tile on or from none.
//
// Timing: an element in cycle t is in the accumulators from cycle t + 1 on.
// docs/operators/statistics.md
module statistics_lane #(
    parameter ELEMENT_BITS = 17,
    parameter SUM_BITS = 40,
    parameter COUNT_BITS = 24
) (
    input clock,
    input valid,
    input begins,  // what came before does not count
    input resumes, // but the summary of an earlier tile does
    input signed [SUM_BITS-1:0] earlier_sum,
    input signed [ELEMENT_BITS-1:0] earlier_minimum,
    input signed [ELEMENT_BITS-1:0] earlier_maximum,
    input [COUNT_BITS-1:0] earlier_count,
    input has_element,
    input signed [ELEMENT_BITS-1:0] element,
    output reg signed [SUM_BITS-1:0] sum,
    output reg signed [ELEMENT_BITS-1:0] minimum,
    output reg signed [ELEMENT_BITS-1:0] maximum,
    output reg [COUNT_BITS-1:0] count
);
  localparam [ELEMENT_BITS-1:0] GREATEST = {1'b0, {(ELEMENT_BITS - 1) {1'b1}}};
  localparam [ELEMENT_BITS-1:0] LEAST = {1'b1, {(ELEMENT_BITS - 1) {1'b0}}};

  wire signed [SUM_BITS-1:0] wide = {
    {(SUM_BITS - ELEMENT_BITS) {element[ELEMENT_BITS-1]}}, element
  };
  wire signed [SUM_BITS-1:0] sum_before = resumes ? earlier_sum : begins ? {SUM_BITS{1'b0}} : sum;
  wire signed [ELEMENT_BITS-1:0] minimum_before =
      resumes ? earlier_minimum : begins ? GREATEST : minimum;
  wire signed [ELEMENT_BITS-1:0] maximum_before =
      resumes ? earlier_maximum : begins ? LEAST : maximum;
  wire [COUNT_BITS-1:0] count_before =
      resumes ? earlier_count : begins ? {COUNT_BITS{1'b0}} : count;

  always @(posedge clock) begin
    if (valid) begin
      sum <= has_element ? sum_before + wide : sum_before;
      minimum <= has_element && element < minimum_before ? element : minimum_before;
      maximum <= has_element && element > maximum_before ? element : maximum_before;
      count <= has_element ? count_before + 1'b1 : count_before;
    end
  end
endmodule
