// What streams past a grid whose elements hold operands, in which cycle. For every block of held
// operands: the stream in chunks of ENTRIES; every chunk once for each of `turns` parts of the sums
// and each of `loads` slices of the held operands; of every operand every pair of slices.
//
// A fold's stream begins when its held operands were loaded. An operand is taken with its first
// slices and held at the array's edge for the others.
// docs/rtl.md
module stationary_sequencer #(
    parameter ENTRIES = 64,
    parameter ENTRY_BITS = 6,
    parameter HELD_PLACE = 8,       // by which a held operand's next slice is shifted
    parameter STREAM_PLACE = 8,
    parameter PLACE_BITS = 5,
    parameter INDEX_BITS = 3,
    parameter ADDRESS_BITS = 4,
    parameter SCALE_BY_STREAM = 0,  // scales are the streamed operands'; else the held blocks'
    parameter COUNT_BITS = 24,
    parameter ELEMENT_BITS = 4 + INDEX_BITS,
    parameter COLUMN_BITS = 3 + PLACE_BITS + ENTRY_BITS + ADDRESS_BITS
) (
    input clock,
    input reset,
    input enable,
    input [COUNT_BITS-1:0] blocks,         // of held operands
    input [COUNT_BITS-1:0] stream_length,
    input [COUNT_BITS-1:0] turns,
    input [INDEX_BITS-1:0] loads,          // of slices of held operands
    input [INDEX_BITS-1:0] held_slices,    // of a held operand while it is held
    input [INDEX_BITS-1:0] stream_slices,
    input held_signed,
    input streamed_signed,
    input fold_waits,
    input stream_valid,
    output take,
    output fold_begins,
    output [INDEX_BITS-1:0] stream_index,
    output [ELEMENT_BITS-1:0] element_control,  // as stationary_element has it
    output [COLUMN_BITS-1:0] column_control     // {scale's address, entry, place, last, first, valid}
);
  reg [COUNT_BITS-1:0] block, chunk_start, turn, position;
  reg [INDEX_BITS-1:0] load, held_slice, stream_slice;
  reg [ENTRY_BITS-1:0] entry;
  reg [PLACE_BITS-1:0] load_place, held_place, stream_place;

  wire top_stream_slice = stream_slice == stream_slices - 1'b1;
  wire top_held_slice = held_slice == held_slices - 1'b1;
  wire top_load = load == loads - 1'b1;
  wire last_turn = turn == turns - 1'b1;
  wire last_pair = top_stream_slice & top_held_slice;
  wire first_pair = stream_slice == 0 & held_slice == 0;
  wire stream_ends = position == stream_length - 1'b1;
  wire chunk_ends = stream_ends | entry == ENTRIES - 1;
  wire begins = entry == 0 & first_pair;

  wire present = enable & block != blocks & (stream_valid | ~first_pair);
  wire valid = present & ~(begins & ~fold_waits);
  wire first = turn == 0 & load == 0 & first_pair;
  wire last = last_turn & top_load & last_pair;
  wire [PLACE_BITS-1:0] place = load_place + held_place + stream_place;
  wire [ADDRESS_BITS-1:0] address = SCALE_BY_STREAM != 0 ? position : block;

  assign take = valid & first_pair;
  assign fold_begins = valid & begins;
  assign stream_index = stream_slice;
  assign element_control = {
    held_slice,
    held_signed & top_load & top_held_slice,
    streamed_signed & top_stream_slice,
    begins,
    valid
  };
  assign column_control = {address, entry, place, last, first, valid};

  // Slices of an operand, operands of a chunk, loads, turns, chunks, blocks: each moves on when all
  // before it have come to their ends.
  wire operand_done = valid & last_pair;
  wire fold_done = operand_done & chunk_ends;
  wire loads_done = fold_done & top_load;
  wire turns_done = loads_done & last_turn;
  wire block_done = turns_done & stream_ends;
  always @(posedge clock) begin
    if (reset) begin
      block <= 0;
      chunk_start <= 0;
      position <= 0;
      turn <= 0;
      load <= 0;
      held_slice <= 0;
      stream_slice <= 0;
      entry <= 0;
      load_place <= 0;
      held_place <= 0;
      stream_place <= 0;
    end else begin
      if (valid) begin
        stream_slice <= top_stream_slice ? 0 : stream_slice + 1'b1;
        stream_place <= top_stream_slice ? 0 : stream_place + STREAM_PLACE;
        if (top_stream_slice) begin
          held_slice <= top_held_slice ? 0 : held_slice + 1'b1;
          held_place <= top_held_slice ? 0 : held_place + HELD_PLACE;
        end
      end
      if (operand_done) begin
        entry <= chunk_ends ? 0 : entry + 1'b1;
        position <= ~chunk_ends ? position + 1'b1
            : ~(last_turn & top_load) ? chunk_start : stream_ends ? 0 : position + 1'b1;
      end
      if (fold_done) begin
        load <= top_load ? 0 : load + 1'b1;
        load_place <= top_load ? 0 : load_place + HELD_PLACE;
      end
      if (loads_done) turn <= last_turn ? 0 : turn + 1'b1;
      if (turns_done) chunk_start <= stream_ends ? 0 : position + 1'b1;
      if (block_done) block <= block + 1'b1;
    end
  end
endmodule
