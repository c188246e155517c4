// Slices of NATIVE_BITS of operands that are wider than that, all of the same place. Operands lie in
// fields of their own width, 2^mode bits; operands of NATIVE_BITS and fewer pass as they are.
// Combinational.
module field_slices #(
    parameter FIELDS = 4,        // operands, of the widest; narrow ones may be more
    parameter NATIVE_BITS = 8,   // a power of two
    parameter OPERAND_BITS = 16, // of the widest, a power of two
    parameter MODE_BITS = 3,
    parameter INDEX_BITS = 3
) (
    input [MODE_BITS-1:0] mode,
    input [INDEX_BITS-1:0] index,
    input [FIELDS*OPERAND_BITS-1:0] operands,
    output reg [FIELDS*NATIVE_BITS-1:0] slices
);
  localparam WIDE = $clog2(OPERAND_BITS / NATIVE_BITS);

  integer wide, field;
  always @* begin
    slices = operands[FIELDS*NATIVE_BITS-1:0];
    for (wide = 1; wide <= WIDE; wide = wide + 1)
      if (mode == $clog2(NATIVE_BITS) + wide)
        for (field = 0; field < FIELDS; field = field + 1)
          slices[field*NATIVE_BITS+:NATIVE_BITS] =
              operands[(field<<wide)*NATIVE_BITS+index*NATIVE_BITS+:NATIVE_BITS];
  end
endmodule
