// Element-wise work on streams, a group of LANES elements a cycle (see vector_lane). Groups that
// need several passes enter once a pass: a result to `keep` does not leave, and a group that comes
// `again` has the oldest kept result as its first operand. At most PASSES_AHEAD groups are kept
// before the first comes again; one more would wait for ever.
//
// Timing: a group in cycle t leaves, or can come again, in cycle t + 4. Passes cost no cycle but
// their own where three other groups enter in between; else `group_ready` waits.
// docs/datapaths/vector_unit.md, docs/rtl/units.md
module vector_unit #(
    parameter LANES = 16,
    parameter TABLES = 4,                    // lanes 0 to TABLES - 1 can look up
    parameter ELEMENT_BITS = 32,             // signed: of operands and results
    parameter MULTIPLIER_BITS = 32,          // signed, at most ELEMENT_BITS + 1
    parameter SHIFT_BITS = 6,
    parameter BIAS_BITS = 64,                // signed, at most 2 * ELEMENT_BITS + 4
    parameter TABLE_BITS = 8,                // of a table's address
    parameter PASSES_AHEAD = 8,              // a power of two, at least 4
    parameter [127:0] ROUNDING = "half_up",  // a mode of quant.common.requantization_modes
    parameter ZERO_POINT_FIRST = 0           // 1: added before the (last) rounding, but of `add`
) (
    input clock,
    input reset,

    input table_valid,  // a word of every lane's table
    input [TABLE_BITS-1:0] table_code,
    input [ELEMENT_BITS-1:0] table_word,

    input group_valid,
    output group_ready,  // says no more than that the group on the inputs is taken
    input [2:0] kind,
    input keep,
    input again,
    input [4:0] left_shift,
    input [LANES*ELEMENT_BITS-1:0] first,
    input [LANES*ELEMENT_BITS-1:0] second,
    input [LANES*ELEMENT_BITS-1:0] first_offset,
    input [LANES*ELEMENT_BITS-1:0] second_offset,
    input [LANES*MULTIPLIER_BITS-1:0] first_multiplier,
    input [LANES*MULTIPLIER_BITS-1:0] second_multiplier,
    input [LANES*SHIFT_BITS-1:0] first_shift,
    input [LANES*SHIFT_BITS-1:0] second_shift,
    input [BIAS_BITS-1:0] bias,
    input [ELEMENT_BITS-1:0] zero_point,
    input [ELEMENT_BITS-1:0] low,
    input [ELEMENT_BITS-1:0] high,

    output result_valid,
    output [LANES*ELEMENT_BITS-1:0] result
);
  localparam STAGES = 4;
  localparam KEPT_BITS = LANES * (ELEMENT_BITS + 1);
  localparam COUNT_BITS = $clog2(PASSES_AHEAD + 1);

  // Groups on their way and how they leave.
  reg [STAGES-1:0] valid, kept;
  reg [COUNT_BITS-1:0] ahead;
  wire has_room = ahead != PASSES_AHEAD[COUNT_BITS-1:0];
  wire oldest_valid;
  assign group_ready = group_valid & (again ? oldest_valid : ~keep | has_room);

  always @(posedge clock) begin
    valid <= reset ? {STAGES{1'b0}} : {valid[STAGES-2:0], group_ready};
    kept <= {kept[STAGES-2:0], keep};
    if (reset) ahead <= 0;
    else if (group_ready & keep & ~again) ahead <= ahead + 1'b1;
    else if (group_ready & again & ~keep) ahead <= ahead - 1'b1;
  end

  wire [LANES-1:0] marks, oldest_marks;
  wire [LANES*ELEMENT_BITS-1:0] oldest;
  kept_results #(
      .DEPTH(PASSES_AHEAD),
      .BITS(KEPT_BITS)
  ) kept_results (
      .clock(clock),
      .reset(reset),
      .kept_valid(valid[STAGES-1] & kept[STAGES-1]),
      .kept({marks, result}),
      .take(group_ready & again),
      .oldest_valid(oldest_valid),
      .oldest({oldest_marks, oldest})
  );
  wire [LANES*ELEMENT_BITS-1:0] operands = again ? oldest : first;
  assign result_valid = valid[STAGES-1] & ~kept[STAGES-1];

  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : lanes
      wire [TABLE_BITS-1:0] code;
      wire [ELEMENT_BITS-1:0] word;
      vector_lane #(
          .ELEMENT_BITS(ELEMENT_BITS),
          .MULTIPLIER_BITS(MULTIPLIER_BITS),
          .SHIFT_BITS(SHIFT_BITS),
          .BIAS_BITS(BIAS_BITS),
          .TABLE_BITS(TABLE_BITS),
          .ROUNDING(ROUNDING),
          .ZERO_POINT_FIRST(ZERO_POINT_FIRST)
      ) vector_lane (
          .clock(clock),
          .kind(kind),
          .left_shift(left_shift),
          .marked(again & oldest_marks[lane]),
          .first(operands[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .second(second[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .first_offset(first_offset[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .second_offset(second_offset[lane*ELEMENT_BITS+:ELEMENT_BITS]),
          .first_multiplier(first_multiplier[lane*MULTIPLIER_BITS+:MULTIPLIER_BITS]),
          .second_multiplier(second_multiplier[lane*MULTIPLIER_BITS+:MULTIPLIER_BITS]),
          .first_shift(first_shift[lane*SHIFT_BITS+:SHIFT_BITS]),
          .second_shift(second_shift[lane*SHIFT_BITS+:SHIFT_BITS]),
          .bias(bias),
          .zero_point(zero_point),
          .low(low),
          .high(high),
          .table_code(code),
          .table_word(word),
          .result_marked(marks[lane]),
          .result(result[lane*ELEMENT_BITS+:ELEMENT_BITS])
      );
      if (lane < TABLES) begin : with_table
        code_table #(
            .CODE_BITS(TABLE_BITS),
            .WORD_BITS(ELEMENT_BITS)
        ) code_table (
            .clock(clock),
            .write_valid(table_valid),
            .write_code(table_code),
            .write_word(table_word),
            .code(code),
            .word(word)
        );
      end else begin : without_table
        wire unused = &{1'b0, code};
        assign word = {ELEMENT_BITS{1'b0}};
      end
    end
  endgenerate
endmodule
