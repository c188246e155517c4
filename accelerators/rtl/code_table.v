// A table of one word for each code: an integer, or the terms of a weight. Written a word a cycle;
// read within the cycle, so that a lookup takes none of its own.
// docs/rtl/units.md, docs/operators/lookup_table.md, docs/datapaths/shift_add.md
module code_table #(
    parameter CODE_BITS = 8,
    parameter WORD_BITS = 16
) (
    input clock,
    input write_valid,
    input [CODE_BITS-1:0] write_code,
    input [WORD_BITS-1:0] write_word,
    input [CODE_BITS-1:0] code,
    output [WORD_BITS-1:0] word
);
  reg [WORD_BITS-1:0] words[0:(1 << CODE_BITS) - 1];

  assign word = words[code];
  always @(posedge clock) if (write_valid) words[write_code] <= write_word;
endmodule
