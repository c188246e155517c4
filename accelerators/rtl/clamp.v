// A value, or the nearer of two limits where it lies outside. Combinational.
module clamp #(
    parameter VALUE_BITS = 74,
    parameter CODE_BITS = 17  // less than VALUE_BITS
) (
    input signed [VALUE_BITS-1:0] value,
    input signed [CODE_BITS-1:0] low,
    input signed [CODE_BITS-1:0] high,
    output signed [CODE_BITS-1:0] code
);
  localparam WIDER = VALUE_BITS - CODE_BITS;
  wire signed [VALUE_BITS-1:0] wide_low = {{WIDER{low[CODE_BITS-1]}}, low};
  wire signed [VALUE_BITS-1:0] wide_high = {{WIDER{high[CODE_BITS-1]}}, high};

  assign code = value < wide_low ? low : value > wide_high ? high : value[CODE_BITS-1:0];
endmodule
