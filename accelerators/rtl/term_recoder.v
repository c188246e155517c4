// One signed power of two of an integer: of the form with fewest terms, the lowest first.
//
// With h = weight >> 1 and the sum s = weight + h, the bits in which h and s differ are the terms;
// those that h has are negative (the non-adjacent form: Reitwiesner, "Binary arithmetic", 1960).
// Combinational.
module term_recoder #(
    parameter WEIGHT_BITS = 16,
    parameter INDEX_BITS = 5,
    parameter EXPONENT_BITS = 5
) (
    input signed [WEIGHT_BITS-1:0] weight,
    input [INDEX_BITS-1:0] index,
    output [EXPONENT_BITS+1:0] term  // {present, negative, exponent}
);
  wire signed [WEIGHT_BITS+1:0] whole = weight;
  wire signed [WEIGHT_BITS+1:0] half = whole >>> 1;
  wire signed [WEIGHT_BITS+1:0] sum = whole + half;
  wire [WEIGHT_BITS+1:0] terms = half ^ sum;

  reg present, negative;
  reg [EXPONENT_BITS-1:0] exponent;
  reg [INDEX_BITS-1:0] passed;
  integer place;
  always @* begin
    present = 1'b0;
    negative = 1'b0;
    exponent = 0;
    passed = 0;
    for (place = 0; place <= WEIGHT_BITS; place = place + 1) begin
      if (terms[place]) begin
        if (passed == index) begin
          present  = 1'b1;
          negative = half[place];
          exponent = place;
        end
        passed = passed + 1'b1;
      end
    end
  end
  assign term = {present, negative, exponent};
endmodule
