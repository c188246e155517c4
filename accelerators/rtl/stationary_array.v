// A MAC array whose elements hold operands while others stream past, from streams of operands to
// codes: weight stationary, input stationary and composable, by parameters.
//
// Rows take the products of an output, columns output channels (weights held) or output pixels
// (activations held). Items of `held` are what the columns of one row hold, row 0 first; items of
// `streamed` have an operand for every row, or as many as a fusion unit multiplies at once.
// stationary_sequencer says in which order. `scales` come first: one a channel, COLUMNS to a block
// of held weights; of held activations in the order of streamed channels.
//
// Timing: cycle 0 takes the first held operands; codes of column c leave a cycle behind those of
// column c - 1. accelerators.datapaths.stationary_grid has the cycles of a job.
// docs/rtl.md
module stationary_array #(
    parameter ROWS = 8,
    parameter COLUMNS = 8,
    parameter KIND = "multiply",     // or "bricks"
    parameter HOLDS_WEIGHTS = 1,     // else activations
    parameter WEIGHT_BITS = 8,       // of a multiplier's operand
    parameter ACTIVATION_BITS = 8,
    parameter OPERAND_BITS = 16,     // of the widest operand
    parameter ENTRIES = 64,          // of the memory behind a column
    parameter SUM_BITS = 40,         // of the accumulators
    parameter OVERFLOW = "error",    // of sums with their bias, see column_requantizer
    parameter OVERFLOW_BITS = 40,
    parameter SCALES = 16,           // blocks of channels, or channels, that there is room for
    parameter BIAS_BITS = 40,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,
    parameter ROUNDING = "half_up",
    parameter ZERO_POINT_FIRST = 0,
    parameter COUNT_BITS = 24,
    parameter MODE_BITS = 3,
    parameter INDEX_BITS = 5,
    parameter SCALE_BITS = BIAS_BITS + MULTIPLIER_BITS + SHIFT_BITS + 3 * CODE_BITS,
    // Operands of a row or column on their streams: several narrow ones where bricks join.
    parameter HELD_ITEM = KIND == "bricks" ? OPERAND_BITS * ACTIVATION_BITS / 2 : OPERAND_BITS,
    parameter STREAM_ITEM = KIND == "bricks" ? OPERAND_BITS * WEIGHT_BITS / 2 : OPERAND_BITS
) (
    input clock,
    input reset,
    input [COUNT_BITS-1:0] blocks,
    input [COUNT_BITS-1:0] stream_length,
    input [COUNT_BITS-1:0] turns,
    input [INDEX_BITS-1:0] loads,
    input [INDEX_BITS-1:0] held_slices,
    input [INDEX_BITS-1:0] stream_slices,
    input held_signed,
    input streamed_signed,
    input [MODE_BITS-1:0] weight_mode,      // bricks: 2^mode bits
    input [MODE_BITS-1:0] activation_mode,
    input [COUNT_BITS-1:0] scale_count,
    input scales_valid,
    output scales_ready,
    input [SCALE_BITS-1:0] scales,          // {high, low, zero point, shift, multiplier, bias}
    input held_valid,
    output held_ready,
    input [COLUMNS*HELD_ITEM-1:0] held,
    input streamed_valid,
    output streamed_ready,
    input [ROWS*STREAM_ITEM-1:0] streamed,
    output [COLUMNS-1:0] codes_valid,
    output [COLUMNS*CODE_BITS-1:0] codes
);
  localparam BRICKS = KIND == "bricks";
  localparam HELD_NATIVE = HOLDS_WEIGHTS != 0 ? WEIGHT_BITS : ACTIVATION_BITS;
  localparam STREAM_NATIVE = HOLDS_WEIGHTS != 0 ? ACTIVATION_BITS : WEIGHT_BITS;
  localparam HELD_BITS = BRICKS ? HELD_ITEM : HELD_NATIVE;
  localparam STREAM_BITS = BRICKS ? STREAM_NATIVE * WEIGHT_BITS / 2 : STREAM_NATIVE;
  localparam PRODUCT_BITS = WEIGHT_BITS + ACTIVATION_BITS + 2 + (BRICKS ? $clog2(WEIGHT_BITS * ACTIVATION_BITS / 4) : 0);
  localparam COLUMN_SUM_BITS = PRODUCT_BITS + $clog2(ROWS);
  localparam ROW_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam ENTRY_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1;
  localparam PLACE_BITS = $clog2(2 * OPERAND_BITS);
  localparam ADDRESS_BITS = SCALES > 1 ? $clog2(SCALES) : 1;
  localparam ELEMENT_BITS = 4 + INDEX_BITS;
  localparam CONTROL_BITS = 3 + PLACE_BITS + ENTRY_BITS + ADDRESS_BITS;
  localparam ENTRY_AT = 3 + PLACE_BITS;
  localparam ADDRESS_AT = ENTRY_AT + ENTRY_BITS;

  // Scales, written before the first operands.
  wire loaded;
  wire [COLUMNS-1:0] scale_write;
  wire [ADDRESS_BITS-1:0] scale_address;
  scale_loader #(
      .COLUMNS(COLUMNS),
      .PER_COLUMN(HOLDS_WEIGHTS),
      .ADDRESS_BITS(ADDRESS_BITS),
      .COUNT_BITS(COUNT_BITS)
  ) loader (
      .clock(clock),
      .reset(reset),
      .count(scale_count),
      .scales_valid(scales_valid),
      .scales_ready(scales_ready),
      .write(scale_write),
      .address(scale_address),
      .loaded(loaded)
  );

  // What happens when.
  wire take_held, take_streamed, fold_begins, fold_waits;
  wire [ROW_BITS-1:0] held_row;
  wire [INDEX_BITS-1:0] held_index, stream_index;
  wire [ELEMENT_BITS-1:0] element_control;
  wire [CONTROL_BITS-1:0] column_control;
  held_loader #(
      .ROWS(ROWS),
      .ROW_BITS(ROW_BITS),
      .INDEX_BITS(INDEX_BITS)
  ) held_rows (
      .clock(clock),
      .reset(reset),
      .enable(loaded),
      .loads(loads),
      .held_valid(held_valid),
      .take(take_held),
      .row(held_row),
      .slice(held_index),
      .fold_begins(fold_begins),
      .waits(fold_waits)
  );
  stationary_sequencer #(
      .ENTRIES(ENTRIES),
      .ENTRY_BITS(ENTRY_BITS),
      .HELD_PLACE(HELD_NATIVE),
      .STREAM_PLACE(STREAM_NATIVE),
      .PLACE_BITS(PLACE_BITS),
      .INDEX_BITS(INDEX_BITS),
      .ADDRESS_BITS(ADDRESS_BITS),
      .SCALE_BY_STREAM(HOLDS_WEIGHTS == 0),
      .COUNT_BITS(COUNT_BITS)
  ) sequencer (
      .clock(clock),
      .reset(reset),
      .enable(loaded),
      .blocks(blocks),
      .stream_length(stream_length),
      .turns(turns),
      .loads(loads),
      .held_slices(held_slices),
      .stream_slices(stream_slices),
      .held_signed(held_signed),
      .streamed_signed(streamed_signed),
      .fold_waits(fold_waits),
      .stream_valid(streamed_valid),
      .take(take_streamed),
      .fold_begins(fold_begins),
      .stream_index(stream_index),
      .element_control(element_control),
      .column_control(column_control)
  );
  assign held_ready = take_held;
  assign streamed_ready = take_streamed;

  // Streamed operands stay at the left edge until all their slices were fed, skewed by a cycle a
  // row; held ones enter at the top, skewed by a cycle a column.
  wire [ROWS*STREAM_ITEM-1:0] streamed_now;
  held_operands #(
      .BITS(ROWS * STREAM_ITEM)
  ) stream_hold (
      .clock(clock),
      .take(take_streamed),
      .stream(streamed),
      .now(streamed_now)
  );
  wire [ROWS*STREAM_BITS-1:0] stream_straight, stream_skewed;
  wire [COLUMNS*HELD_BITS-1:0] held_straight, held_skewed;
  genvar r, c;
  generate
    if (BRICKS) begin : packed_edges
      for (r = 0; r < ROWS; r = r + 1) begin : every
        field_slices #(
            .FIELDS(WEIGHT_BITS / 2),
            .NATIVE_BITS(ACTIVATION_BITS),
            .OPERAND_BITS(OPERAND_BITS),
            .MODE_BITS(MODE_BITS),
            .INDEX_BITS(INDEX_BITS)
        ) activation_cut (
            .mode(activation_mode),
            .index(stream_index),
            .operands(streamed_now[r*STREAM_ITEM+:STREAM_ITEM]),
            .slices(stream_straight[r*STREAM_BITS+:STREAM_BITS])
        );
      end
      assign held_straight = held;
    end else begin : plain_edges
      digit_select #(
          .COUNT(ROWS),
          .OPERAND_BITS(OPERAND_BITS),
          .DIGIT_BITS(STREAM_NATIVE)
      ) stream_edge (
          .operands_signed(streamed_signed),
          .operands(streamed_now),
          .index(stream_index),
          .digits(stream_straight)
      );
      digit_select #(
          .COUNT(COLUMNS),
          .OPERAND_BITS(OPERAND_BITS),
          .DIGIT_BITS(HELD_NATIVE)
      ) held_edge (
          .operands_signed(held_signed),
          .operands(held),
          .index(held_index),
          .digits(held_straight)
      );
    end
  endgenerate
  skew #(
      .COUNT(ROWS),
      .BITS(STREAM_BITS)
  ) stream_skew (
      .clock(clock),
      .straight(stream_straight),
      .skewed(stream_skewed)
  );
  skew #(
      .COUNT(COLUMNS),
      .BITS(HELD_BITS)
  ) held_skew (
      .clock(clock),
      .straight(held_straight),
      .skewed(held_skewed)
  );

  // Control of the columns reaches the first one when the bottom row's sums do.
  wire [CONTROL_BITS-1:0] first_column_control;
  delay_valid #(
      .CYCLES(ROWS),
      .BITS(CONTROL_BITS)
  ) column_control_delay (
      .clock(clock),
      .reset(reset),
      .now(column_control),
      .later(first_column_control)
  );

  generate
    for (r = 0; r < ROWS; r = r + 1) begin : rows
      wire [ELEMENT_BITS-1:0] edge_control;
      if (r == 0) begin : top
        assign edge_control = element_control;
      end else begin : below
        delay_valid #(
            .CYCLES(1),
            .BITS(ELEMENT_BITS)
        ) delay (
            .clock(clock),
            .reset(reset),
            .now(rows[r-1].edge_control),
            .later(edge_control)
        );
      end

      for (c = 0; c < COLUMNS; c = c + 1) begin : columns
        wire [ELEMENT_BITS-1:0] control_in, control_out;
        wire [STREAM_BITS-1:0] stream_in, stream_out;
        wire [ROW_BITS:0] held_row_in, held_row_out;
        wire [HELD_BITS-1:0] held_in, held_out;
        wire [COLUMN_SUM_BITS-1:0] sum_in, sum_out;
        if (c == 0) begin : left
          assign control_in = edge_control;
          assign stream_in = stream_skewed[r*STREAM_BITS+:STREAM_BITS];
        end else begin : right
          assign control_in = rows[r].columns[c-1].control_out;
          assign stream_in = rows[r].columns[c-1].stream_out;
        end
        if (r == 0) begin : first
          assign held_row_in = tops[c].held_row_here;
          assign held_in = held_skewed[c*HELD_BITS+:HELD_BITS];
          assign sum_in = {COLUMN_SUM_BITS{1'b0}};
        end else begin : later
          assign held_row_in = rows[r-1].columns[c].held_row_out;
          assign held_in = rows[r-1].columns[c].held_out;
          assign sum_in = rows[r-1].columns[c].sum_out;
        end
        stationary_element #(
            .KIND(KIND),
            .ROW_BITS(ROW_BITS),
            .WEIGHT_BITS(WEIGHT_BITS),
            .ACTIVATION_BITS(ACTIVATION_BITS),
            .HELD_BITS(HELD_BITS),
            .STREAM_BITS(STREAM_BITS),
            .MODE_BITS(MODE_BITS),
            .INDEX_BITS(INDEX_BITS),
            .SUM_BITS(COLUMN_SUM_BITS)
        ) element (
            .clock(clock),
            .reset(reset),
            .row(r[ROW_BITS-1:0]),
            .weight_mode(weight_mode),
            .activation_mode(activation_mode),
            .control_in(control_in),
            .stream_in(stream_in),
            .held_row_in(held_row_in),
            .held_in(held_in),
            .sum_in(sum_in),
            .control_out(control_out),
            .stream_out(stream_out),
            .held_row_out(held_row_out),
            .held_out(held_out),
            .sum_out(sum_out)
        );
      end
    end

    // Above each column: for which row the held operands are that enter it.
    for (c = 0; c < COLUMNS; c = c + 1) begin : tops
      wire [ROW_BITS:0] held_row_here;
      if (c == 0) begin : first
        assign held_row_here = {held_row, take_held};
      end else begin : later
        delay_valid #(
            .CYCLES(1),
            .BITS(ROW_BITS + 1)
        ) delay (
            .clock(clock),
            .reset(reset),
            .now(tops[c-1].held_row_here),
            .later(held_row_here)
        );
      end
    end

    // Below each column: its accumulators, its scales, its requantizer.
    for (c = 0; c < COLUMNS; c = c + 1) begin : bottoms
      wire [CONTROL_BITS-1:0] control;
      wire [SCALE_BITS-1:0] scale;
      if (c == 0) begin : first
        assign control = first_column_control;
      end else begin : later
        delay_valid #(
            .CYCLES(1),
            .BITS(CONTROL_BITS)
        ) delay (
            .clock(clock),
            .reset(reset),
            .now(bottoms[c-1].control),
            .later(control)
        );
      end

      if (HOLDS_WEIGHTS != 0 || c == 0) begin : own_scales
        scale_memory #(
            .ENTRIES(SCALES),
            .SCALE_BITS(SCALE_BITS),
            .ADDRESS_BITS(ADDRESS_BITS)
        ) memory (
            .clock(clock),
            .write(scale_write[c]),
            .write_address(scale_address),
            .write_scale(scales),
            .read_address(control[ADDRESS_AT+:ADDRESS_BITS]),
            .read_scale(scale)
        );
      end else begin : passed_scales
        delay #(
            .CYCLES(1),
            .BITS(SCALE_BITS)
        ) delay (
            .clock(clock),
            .now(bottoms[c-1].scale),
            .later(scale)
        );
      end

      wire sum_valid;
      wire [SUM_BITS-1:0] sum;
      column_accumulator #(
          .ENTRIES(ENTRIES),
          .ENTRY_BITS(ENTRY_BITS),
          .ADDED_BITS(COLUMN_SUM_BITS),
          .SUM_BITS(SUM_BITS),
          .PLACE_BITS(PLACE_BITS)
      ) accumulator (
          .clock(clock),
          .valid(control[0]),
          .first(control[1]),
          .last(control[2]),
          .place(control[3+:PLACE_BITS]),
          .entry(control[ENTRY_AT+:ENTRY_BITS]),
          .added(rows[ROWS-1].columns[c].sum_out),
          .sum_valid(sum_valid),
          .sum(sum)
      );
      column_requantizer #(
          .SUM_BITS(SUM_BITS),
          .OVERFLOW(OVERFLOW),
          .OVERFLOW_BITS(OVERFLOW_BITS),
          .BIAS_BITS(BIAS_BITS),
          .MULTIPLIER_BITS(MULTIPLIER_BITS),
          .SHIFT_BITS(SHIFT_BITS),
          .CODE_BITS(CODE_BITS),
          .ROUNDING(ROUNDING),
          .ZERO_POINT_FIRST(ZERO_POINT_FIRST)
      ) requantizer (
          .clock(clock),
          .reset(reset),
          .sum_valid(sum_valid),
          .sum(sum),
          .scale(scale),
          .code_valid(codes_valid[c]),
          .code(codes[c*CODE_BITS+:CODE_BITS])
      );
    end
  endgenerate
endmodule
