// Mean, reach and reciprocal of the reach from a channel's summary, by a serial divider: 40 bits of
// the mean and 32 of the reciprocal, one a cycle. A summary is taken every 72 cycles.
//
// Timing: a summary taken in cycle t; the mean's bits in cycles t + 1 to t + 40, the reciprocal's
// in t + 41 to t + 72; the three numbers in cycle t + 75. The first cycle of the reciprocal also
// rounds the mean and forms the reach.
// docs/operators/normalization.md, docs/rtl/units.md
module normalizer #(
    parameter ELEMENT_BITS = 17,  // signed
    parameter COUNT_BITS = 24,    // of the pixels, at least ELEMENT_BITS
    parameter RESULT_BITS = 24    // signed: of the three numbers, at least ELEMENT_BITS + 1
) (
    input clock,
    input reset,
    input summary_valid,
    output summary_ready,
    input is_centred,  // the mean is that of the channel, or 0
    input signed [39:0] sum,
    input signed [ELEMENT_BITS-1:0] minimum,
    input signed [ELEMENT_BITS-1:0] maximum,
    input [COUNT_BITS-1:0] pixels,
    output reg factors_valid,
    output reg signed [RESULT_BITS-1:0] mean,
    output reg [RESULT_BITS-1:0] reach,
    output reg [RESULT_BITS-1:0] reciprocal
);
  localparam MEAN_STEPS = 40, STEPS = 72;

  // The step of the channel at work, from 0 on; STEPS when there is none.
  reg [6:0] step;
  wire starts_mean = step == 0;
  wire starts_reciprocal = step == MEAN_STEPS;
  wire idle = step == STEPS;
  assign summary_ready = idle || step == STEPS - 1;

  reg is_negative, held_centred;
  reg [39:0] magnitude;
  reg signed [ELEMENT_BITS-1:0] held_minimum, held_maximum;
  reg [COUNT_BITS-1:0] held_pixels;

  wire [39:0] quotient;
  wire [COUNT_BITS-1:0] remainder, divisor;
  wire [COUNT_BITS:0] twice = {remainder, 1'b0};

  // Round the mean to the nearest integer, halves to the even one: the same for either sign.
  wire is_half = twice == {1'b0, divisor};
  wire [RESULT_BITS-1:0] mean_up = twice > {1'b0, divisor} || (is_half && quotient[0]) ? 1 : 0;
  wire [RESULT_BITS-1:0] mean_magnitude = quotient[RESULT_BITS-1:0] + mean_up;
  wire [RESULT_BITS-1:0] signed_mean = is_negative ? -mean_magnitude : mean_magnitude;
  wire signed [RESULT_BITS-1:0] next_mean = held_centred ? signed_mean : {RESULT_BITS{1'b0}};

  wire signed [RESULT_BITS-1:0] above =
      {{(RESULT_BITS - ELEMENT_BITS) {held_maximum[ELEMENT_BITS-1]}}, held_maximum} - next_mean;
  wire signed [RESULT_BITS-1:0] beneath =
      next_mean - {{(RESULT_BITS - ELEMENT_BITS) {held_minimum[ELEMENT_BITS-1]}}, held_minimum};
  wire [RESULT_BITS-1:0] next_reach = above > beneath ? above : beneath;

  // 2^(15 + bits of the reach), its 32 bits on the left of the dividend's 40.
  reg [39:0] one;
  integer place;
  always @* begin
    one = 40'd1 << 23;
    for (place = 0; place < 16; place = place + 1)
      if (next_reach[place]) one = 40'd1 << (24 + place);
  end

  serial_divider #(
      .DIVIDEND_BITS(40),
      .DIVISOR_BITS(COUNT_BITS)
  ) divider (
      .clock(clock),
      .start(starts_mean | starts_reciprocal),
      .dividend(starts_mean ? magnitude : one),
      .divisor(starts_mean ? held_pixels : next_reach[COUNT_BITS-1:0]),
      .quotient(quotient),
      .remainder(remainder),
      .held_divisor(divisor)
  );

  reg signed [RESULT_BITS-1:0] held_mean;
  reg [RESULT_BITS-1:0] held_reach, rounded;
  reg divided, rounds;
  wire [RESULT_BITS-1:0] reciprocal_up = twice >= {1'b0, divisor} ? 1 : 0;
  wire unused = &{1'b0, quotient[39:RESULT_BITS]};

  always @(posedge clock) begin
    if (summary_valid & summary_ready) begin
      is_negative <= sum[39];
      held_centred <= is_centred;
      magnitude <= sum[39] ? -sum : sum;
      held_minimum <= minimum;
      held_maximum <= maximum;
      held_pixels <= pixels;
    end
    if (starts_reciprocal) begin
      held_mean <= next_mean;
      held_reach <= next_reach;
    end
    rounded <= held_reach == 0 ? {RESULT_BITS{1'b0}} : quotient[RESULT_BITS-1:0] + reciprocal_up;
    {mean, reach, reciprocal} <= {held_mean, held_reach, rounded};

    if (reset) begin
      step <= STEPS;
      {divided, rounds, factors_valid} <= 3'b0;
    end else begin
      if (summary_ready) step <= summary_valid ? 7'd0 : STEPS;
      else step <= step + 7'd1;
      divided <= step == STEPS - 1;
      rounds <= divided;
      factors_valid <= rounds;
    end
  end
endmodule
