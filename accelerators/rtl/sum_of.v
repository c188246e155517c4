// COUNT signed terms added up. Combinational.
module sum_of #(
    parameter COUNT = 4,
    parameter TERM_BITS = 18
) (
    input [COUNT*TERM_BITS-1:0] terms,
    output reg signed [TERM_BITS+$clog2(COUNT)-1:0] total
);
  reg signed [TERM_BITS-1:0] term;
  integer each;
  always @* begin
    total = 0;
    for (each = 0; each < COUNT; each = each + 1) begin
      term = terms[each*TERM_BITS+:TERM_BITS];
      total = total + term;
    end
  end
endmodule
