// A MAC array whose elements keep outputs, from streams of operands to codes: output stationary,
// activation serial, weight serial, bit serial and shift-and-add, by parameters.
//
// Row r works on one output pixel, column c on one output channel. Each item of `activations` has
// LANES operands for every row, each item of `weights` LANES for every column. Tiles follow each
// other: all of a block of COLUMNS channels (`pixel_tiles` of them), then those of the next block.
// `scales` come first: bias, multiplier, shift, zero point, lowest and highest code of every
// channel, `scale_count` of them, COLUMNS to a block.
//
// Timing: cycle 0 takes the first operands; codes of column c leave a cycle behind those of column
// c - 1. accelerators.datapaths.output_grid has the cycles of a job.
// docs/rtl.md
module output_array #(
    parameter ROWS = 8,
    parameter COLUMNS = 8,
    parameter LANES = 1,
    parameter KIND = "multiply",               // see lane_product
    parameter ACTIVATION_BITS = 8,             // of a multiplier's operand
    parameter WEIGHT_BITS = 8,
    parameter OPERAND_BITS = 16,               // of an operand on its stream
    parameter SUM_BITS = 40,                   // of the accumulator
    parameter OVERFLOW = "error",    // of sums with their bias, see column_requantizer
    parameter OVERFLOW_BITS = 40,
    parameter BLOCKS = 16,                     // of channels, whose scales there is room for
    parameter BIAS_BITS = 40,
    parameter MULTIPLIER_BITS = 32,
    parameter SHIFT_BITS = 6,
    parameter CODE_BITS = 17,
    parameter ROUNDING = "half_up",
    parameter ZERO_POINT_FIRST = 0,
    parameter COUNT_BITS = 24,
    parameter SCALE_BITS = BIAS_BITS + MULTIPLIER_BITS + SHIFT_BITS + 3 * CODE_BITS
) (
    input clock,
    input reset,
    input [COUNT_BITS-1:0] tiles,
    input [COUNT_BITS-1:0] pixel_tiles,
    input [COUNT_BITS-1:0] steps,
    input [4:0] weight_digits,
    input [4:0] activation_digits,
    input activations_signed,
    input [COUNT_BITS-1:0] scale_count,
    input scales_valid,
    output scales_ready,
    input [SCALE_BITS-1:0] scales,             // {high, low, zero point, shift, multiplier, bias}
    input activations_valid,
    output activations_ready,
    input [ROWS*LANES*OPERAND_BITS-1:0] activations,
    input weights_valid,
    output weights_ready,
    input [COLUMNS*LANES*OPERAND_BITS-1:0] weights,
    output [COLUMNS-1:0] codes_valid,
    output [COLUMNS*CODE_BITS-1:0] codes
);
  localparam ACTIVATION_SERIAL = KIND == "gate_weight" || KIND == "count_bits";
  localparam WEIGHT_SERIAL = KIND == "gate_activation" || KIND == "count_bits";
  localparam WEIGHT_TERMS = KIND == "shift_add";
  localparam EXPONENT_BITS = $clog2(OPERAND_BITS);
  localparam ACTIVATION_DIGIT = ACTIVATION_SERIAL ? 1 : ACTIVATION_BITS;
  localparam WEIGHT_DIGIT = WEIGHT_TERMS ? 2 + EXPONENT_BITS : WEIGHT_SERIAL ? 1 : WEIGHT_BITS;
  localparam PLACE_BITS = $clog2(2 * OPERAND_BITS);
  localparam CONTROL_BITS = 6 + PLACE_BITS;
  localparam ADDRESS_BITS = BLOCKS > 1 ? $clog2(BLOCKS) : 1;

  // Scales, written before the first operands.
  wire loaded;
  wire [COLUMNS-1:0] scale_write;
  wire [ADDRESS_BITS-1:0] scale_address;
  scale_loader #(
      .COLUMNS(COLUMNS),
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
  wire take;
  wire [4:0] weight_index, activation_index;
  wire [CONTROL_BITS-1:0] control;
  output_sequencer #(
      .ROWS(ROWS),
      .WEIGHT_PLACE(WEIGHT_TERMS ? 0 : WEIGHT_DIGIT),
      .ACTIVATION_PLACE(ACTIVATION_DIGIT),
      .WEIGHT_SERIAL(WEIGHT_SERIAL),
      .ACTIVATION_SERIAL(ACTIVATION_SERIAL),
      .PLACE_BITS(PLACE_BITS),
      .COUNT_BITS(COUNT_BITS)
  ) sequencer (
      .clock(clock),
      .reset(reset),
      .enable(loaded),
      .tiles(tiles),
      .steps(steps),
      .weight_digits(weight_digits),
      .activation_digits(activation_digits),
      .activations_signed(activations_signed),
      .operands_valid(activations_valid & weights_valid),
      .take(take),
      .weight_index(weight_index),
      .activation_index(activation_index),
      .control(control)
  );
  assign activations_ready = take;
  assign weights_ready = take;

  // Operands stay at the edges until all their digits were fed.
  wire [ROWS*LANES*OPERAND_BITS-1:0] activations_now;
  wire [COLUMNS*LANES*OPERAND_BITS-1:0] weights_now;
  held_operands #(
      .BITS(ROWS * LANES * OPERAND_BITS)
  ) activation_hold (
      .clock(clock),
      .take(take),
      .stream(activations),
      .now(activations_now)
  );
  held_operands #(
      .BITS(COLUMNS * LANES * OPERAND_BITS)
  ) weight_hold (
      .clock(clock),
      .take(take),
      .stream(weights),
      .now(weights_now)
  );

  // Their digits, skewed by a cycle a row and a cycle a column.
  wire [ROWS*LANES*ACTIVATION_DIGIT-1:0] activation_digits_now, activation_digits_skewed;
  digit_select #(
      .COUNT(ROWS * LANES),
      .OPERAND_BITS(OPERAND_BITS),
      .DIGIT_BITS(ACTIVATION_DIGIT)
  ) activation_edge (
      .operands_signed(activations_signed),
      .operands(activations_now),
      .index(activation_index),
      .digits(activation_digits_now)
  );
  skew #(
      .COUNT(ROWS),
      .BITS(LANES * ACTIVATION_DIGIT)
  ) activation_skew (
      .clock(clock),
      .straight(activation_digits_now),
      .skewed(activation_digits_skewed)
  );

  wire [COLUMNS*LANES*WEIGHT_DIGIT-1:0] weight_digits_now, weight_digits_skewed;
  generate
    if (WEIGHT_TERMS) begin : weight_terms
      genvar each;
      for (each = 0; each < COLUMNS * LANES; each = each + 1) begin : every
        term_recoder #(
            .WEIGHT_BITS(OPERAND_BITS),
            .INDEX_BITS(5),
            .EXPONENT_BITS(EXPONENT_BITS)
        ) recoder (
            .weight(weights_now[each*OPERAND_BITS+:OPERAND_BITS]),
            .index(weight_index),
            .term(weight_digits_now[each*WEIGHT_DIGIT+:WEIGHT_DIGIT])
        );
      end
    end else begin : weight_slices
      digit_select #(
          .COUNT(COLUMNS * LANES),
          .OPERAND_BITS(OPERAND_BITS),
          .DIGIT_BITS(WEIGHT_DIGIT)
      ) weight_edge (
          .operands_signed(1'b1),
          .operands(weights_now),
          .index(weight_index),
          .digits(weight_digits_now)
      );
    end
  endgenerate
  skew #(
      .COUNT(COLUMNS),
      .BITS(LANES * WEIGHT_DIGIT)
  ) weight_skew (
      .clock(clock),
      .straight(weight_digits_now),
      .skewed(weight_digits_skewed)
  );

  // The grid. Wires between elements: `across` enters column c of row r, `down` row r of column c.
  genvar r, c;
  generate
    for (r = 0; r < ROWS; r = r + 1) begin : rows
      wire [CONTROL_BITS-1:0] edge_control;
      if (r == 0) begin : top
        assign edge_control = control;
      end else begin : below
        delay_valid #(
            .CYCLES(1),
            .BITS(CONTROL_BITS)
        ) delay (
            .clock(clock),
            .reset(reset),
            .now(rows[r-1].edge_control),
            .later(edge_control)
        );
      end

      for (c = 0; c < COLUMNS; c = c + 1) begin : columns
        wire [CONTROL_BITS-1:0] control_in, control_out;
        wire [LANES*ACTIVATION_DIGIT-1:0] activations_in, activations_out;
        wire [LANES*WEIGHT_DIGIT-1:0] weights_in, weights_out;
        wire [SUM_BITS-1:0] drain_in, drain_out;
        if (c == 0) begin : left
          assign control_in = edge_control;
          assign activations_in =
              activation_digits_skewed[r*LANES*ACTIVATION_DIGIT+:LANES*ACTIVATION_DIGIT];
        end else begin : right
          assign control_in = rows[r].columns[c-1].control_out;
          assign activations_in = rows[r].columns[c-1].activations_out;
        end
        if (r == 0) begin : first
          assign weights_in = weight_digits_skewed[c*LANES*WEIGHT_DIGIT+:LANES*WEIGHT_DIGIT];
          assign drain_in = {SUM_BITS{1'b0}};
        end else begin : later
          assign weights_in = rows[r-1].columns[c].weights_out;
          assign drain_in = rows[r-1].columns[c].drain_out;
        end
        output_element #(
            .KIND(KIND),
            .LANES(LANES),
            .ACTIVATION_BITS(ACTIVATION_DIGIT),
            .WEIGHT_BITS(WEIGHT_DIGIT),
            .SUM_BITS(SUM_BITS),
            .PLACE_BITS(PLACE_BITS)
        ) element (
            .clock(clock),
            .reset(reset),
            .control_in(control_in),
            .activations_in(activations_in),
            .weights_in(weights_in),
            .drain_shift(bottoms[c].shifts[r]),
            .drain_in(drain_in),
            .control_out(control_out),
            .activations_out(activations_out),
            .weights_out(weights_out),
            .drain_out(drain_out)
        );
      end
    end

    // Below each column: its drain, its scales, its requantizer.
    for (c = 0; c < COLUMNS; c = c + 1) begin : bottoms
      wire [ROWS-1:0] shifts;
      wire leaving, leaving_last;
      wire [CONTROL_BITS-1:0] bottom_control = rows[ROWS-1].columns[c].control_in;
      drain_controller #(
          .ROWS(ROWS)
      ) drain (
          .clock(clock),
          .reset(reset),
          .bottom_done(bottom_control[0] & bottom_control[2]),
          .leaving(leaving),
          .leaving_last(leaving_last),
          .shifts(shifts)
      );

      wire [ADDRESS_BITS-1:0] block;
      block_counter #(
          .ADDRESS_BITS(ADDRESS_BITS),
          .COUNT_BITS(COUNT_BITS)
      ) blocks (
          .clock(clock),
          .reset(reset),
          .items(pixel_tiles),
          .next(leaving_last),
          .block(block)
      );

      wire [SCALE_BITS-1:0] scale;
      scale_memory #(
          .ENTRIES(BLOCKS),
          .SCALE_BITS(SCALE_BITS),
          .ADDRESS_BITS(ADDRESS_BITS)
      ) memory (
          .clock(clock),
          .write(scale_write[c]),
          .write_address(scale_address),
          .write_scale(scales),
          .read_address(block),
          .read_scale(scale)
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
          .sum_valid(leaving),
          .sum(rows[ROWS-1].columns[c].drain_out),
          .scale(scale),
          .code_valid(codes_valid[c]),
          .code(codes[c*CODE_BITS+:CODE_BITS])
      );
    end
  endgenerate
endmodule
