// Summaries: sum, minimum, maximum and number of the elements each lane is given, LANES a cycle.
// The group that `begins` starts them anew, or from those of an earlier tile; with the one that
// `ends` they leave.
//
// Timing: the group that ends a summary in cycle t, the summary in cycle t + 4. Elements pass the
// vector unit's first two stages unchanged; the accumulators are in its third, the adder's.
// docs/datapaths/vector_unit.md, docs/operators/statistics.md, docs/rtl/units.md
module statistics_unit #(
    parameter LANES = 16,
    parameter ELEMENT_BITS = 17,  // signed: holds codes of 16 bits, signed or not
    parameter SUM_BITS = 40,
    parameter COUNT_BITS = 24
) (
    input clock,
    input reset,
    input group_valid,
    input begins,
    input ends,
    input [LANES-1:0] has_element,  // by lane; the last group may be a part
    input [LANES*ELEMENT_BITS-1:0] elements,
    input resumes,  // the earlier summaries count, with the group that begins
    input [LANES*SUM_BITS-1:0] earlier_sums,
    input [LANES*ELEMENT_BITS-1:0] earlier_minima,
    input [LANES*ELEMENT_BITS-1:0] earlier_maxima,
    input [LANES*COUNT_BITS-1:0] earlier_counts,
    output reg summary_valid,
    output reg [LANES*SUM_BITS-1:0] sums,
    output reg [LANES*ELEMENT_BITS-1:0] minima,
    output reg [LANES*ELEMENT_BITS-1:0] maxima,
    output reg [LANES*COUNT_BITS-1:0] counts
);
  localparam EARLIER_BITS = LANES * (SUM_BITS + 2 * ELEMENT_BITS + COUNT_BITS);
  localparam GROUP_BITS = 3 + LANES + LANES * ELEMENT_BITS + EARLIER_BITS;

  // Stages 1 and 2.
  reg [1:0] valid;
  reg [GROUP_BITS-1:0] scaled, rounded;
  wire rounded_begins, rounded_ends, rounded_resumes;
  wire [LANES-1:0] rounded_has_element;
  wire [LANES*ELEMENT_BITS-1:0] rounded_elements, minima_before, maxima_before;
  wire [LANES*SUM_BITS-1:0] sums_before;
  wire [LANES*COUNT_BITS-1:0] counts_before;
  assign {rounded_begins, rounded_ends, rounded_resumes, rounded_has_element, rounded_elements,
          sums_before, minima_before, maxima_before, counts_before} = rounded;

  // Stage 3.
  reg ended;
  wire [LANES*SUM_BITS-1:0] next_sums;
  wire [LANES*ELEMENT_BITS-1:0] next_minima, next_maxima;
  wire [LANES*COUNT_BITS-1:0] next_counts;
  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : lanes
      statistics_lane #(
          .ELEMENT_BITS(ELEMENT_BITS),
          .SUM_BITS(SUM_BITS),
          .COUNT_BITS(COUNT_BITS)
      ) statistics_lane (
          .clock(clock),
          .valid(valid[1]),
          .begins(rounded_begins),
          .resumes(rounded_begins & rounded_resumes),
          .earlier_sum(sums_before[lane*SUM_BITS+:SUM_BITS]),
          .earlier_minimum(minima_before[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .earlier_maximum(maxima_before[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .earlier_count(counts_before[lane*COUNT_BITS+:COUNT_BITS]),
          .has_element(rounded_has_element[lane]),
          .element(rounded_elements[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .sum(next_sums[lane*SUM_BITS+:SUM_BITS]),
          .minimum(next_minima[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .maximum(next_maxima[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .count(next_counts[lane*COUNT_BITS+:COUNT_BITS])
      );
    end
  endgenerate

  // Stage 4.
  always @(posedge clock) begin
    scaled <= {begins, ends, resumes, has_element, elements,
               earlier_sums, earlier_minima, earlier_maxima, earlier_counts};
    rounded <= scaled;
    sums <= next_sums;
    minima <= next_minima;
    maxima <= next_maxima;
    counts <= next_counts;
    if (reset) {valid, ended, summary_valid} <= 4'b0;
    else begin
      valid <= {valid[0], group_valid};
      ended <= valid[1] & rounded_ends;
      summary_valid <= ended;
    end
  end
endmodule
