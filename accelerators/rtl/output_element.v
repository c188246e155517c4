// A processing element that keeps one output: LANES products a cycle, shifted by their place, added
// to the output or beginning one.
//
// Activations and their control come from the left and leave to the right, weights come from above
// and leave below, each a cycle later. With the last operands of an output its sum moves to the
// drain register, which then takes those of the elements above while `drain_shift` says so: the
// next output is begun meanwhile.
//
// Timing: operands on the inputs in cycle t are in the sum from cycle t + 1 on.
// docs/rtl.md; the registers are those of hwsim/verify/stepped.
module output_element #(
    parameter KIND = "multiply",    // see lane_product
    parameter LANES = 1,            // products a cycle
    parameter ACTIVATION_BITS = 8,  // of an activation's digit
    parameter WEIGHT_BITS = 8,      // of a weight's digit
    parameter SUM_BITS = 40,        // of the accumulator
    parameter PLACE_BITS = 5,       // of the shift a cycle's products get
    parameter CONTROL_BITS = 6 + PLACE_BITS
) (
    input clock,
    input reset,
    // {place, weights signed, activations signed, subtract, last, first, valid}
    input [CONTROL_BITS-1:0] control_in,
    input [LANES*ACTIVATION_BITS-1:0] activations_in,
    input [LANES*WEIGHT_BITS-1:0] weights_in,
    input drain_shift,
    input [SUM_BITS-1:0] drain_in,
    output reg [CONTROL_BITS-1:0] control_out,
    output reg [LANES*ACTIVATION_BITS-1:0] activations_out,
    output reg [LANES*WEIGHT_BITS-1:0] weights_out,
    output reg [SUM_BITS-1:0] drain_out
);
  // By how much a weight's digit makes an activation wider: an exponent's reach, or its own bits.
  localparam WIDER = KIND == "shift_add" ? 1 << (WEIGHT_BITS - 2) : WEIGHT_BITS + 1;
  localparam PRODUCT_BITS = ACTIVATION_BITS + 1 + WIDER;

  wire valid = control_in[0];
  wire first = control_in[1];
  wire last = control_in[2];
  wire subtract = control_in[3];
  wire activations_signed = control_in[4];
  wire weights_signed = control_in[5];
  wire [PLACE_BITS-1:0] place = control_in[CONTROL_BITS-1:6];

  wire [LANES*PRODUCT_BITS-1:0] products;
  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : lanes
      lane_product #(
          .KIND(KIND),
          .ACTIVATION_BITS(ACTIVATION_BITS),
          .WEIGHT_BITS(WEIGHT_BITS),
          .PRODUCT_BITS(PRODUCT_BITS)
      ) lane_product (
          .activation_signed(activations_signed),
          .weight_signed(weights_signed),
          .activation(activations_in[lane*ACTIVATION_BITS+:ACTIVATION_BITS]),
          .weight(weights_in[lane*WEIGHT_BITS+:WEIGHT_BITS]),
          .product(products[lane*PRODUCT_BITS+:PRODUCT_BITS])
      );
    end
  endgenerate

  wire signed [PRODUCT_BITS+$clog2(LANES)-1:0] total;
  sum_of #(
      .COUNT(LANES),
      .TERM_BITS(PRODUCT_BITS)
  ) tree (
      .terms(products),
      .total(total)
  );

  reg signed [SUM_BITS-1:0] sum;
  wire signed [SUM_BITS-1:0] next_sum;
  accumulator_step #(
      .ADDED_BITS(PRODUCT_BITS + $clog2(LANES)),
      .SUM_BITS(SUM_BITS),
      .PLACE_BITS(PLACE_BITS)
  ) accumulator (
      .sum_in(first ? {SUM_BITS{1'b0}} : sum),
      .added(total),
      .place(place),
      .subtract(subtract),
      .sum_out(next_sum)
  );

  always @(posedge clock) begin
    control_out <= control_in;
    if (reset) control_out[0] <= 1'b0;
    activations_out <= activations_in;
    weights_out <= weights_in;
    if (valid) sum <= next_sum;
    if (valid & last) drain_out <= next_sum;
    else if (drain_shift) drain_out <= drain_in;
  end
endmodule
