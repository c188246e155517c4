// One digit of each of COUNT operands: DIGIT_BITS from the place `index` on, the operand's sign (or
// zeros) beyond its end. So wide operands enter an array slice by slice, serial ones bit by bit.
// Combinational.
module digit_select #(
    parameter COUNT = 8,
    parameter OPERAND_BITS = 16,
    parameter DIGIT_BITS = 8,
    parameter INDEX_BITS = 5
) (
    input operands_signed,
    input [COUNT*OPERAND_BITS-1:0] operands,
    input [INDEX_BITS-1:0] index,
    output [COUNT*DIGIT_BITS-1:0] digits
);
  localparam DIGITS = (OPERAND_BITS + DIGIT_BITS - 1) / DIGIT_BITS;

  genvar each;
  generate
    for (each = 0; each < COUNT; each = each + 1) begin : every
      wire [OPERAND_BITS-1:0] operand = operands[each*OPERAND_BITS+:OPERAND_BITS];
      wire signed [OPERAND_BITS:0] whole = {operands_signed & operand[OPERAND_BITS-1], operand};
      wire signed [DIGITS*DIGIT_BITS:0] extended = whole;
      assign digits[each*DIGIT_BITS+:DIGIT_BITS] = extended[index*DIGIT_BITS+:DIGIT_BITS];
    end
  endgenerate
endmodule
