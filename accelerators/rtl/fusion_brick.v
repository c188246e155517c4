// A multiplier of 2 x 2 bits in its place in a fusion unit: which digits it takes, and whether they
// are the topmost of their operands, goes by the widths at hand. Combinational.
// docs/datapaths/composable.md
module fusion_brick #(
    parameter WEIGHT_MODES = 3,      // widths a unit can take: 2, 4, ... 2^WEIGHT_MODES bits
    parameter ACTIVATION_MODES = 3,
    parameter ROW = 0,
    parameter COLUMN = 0,
    parameter DIGITS = 1 << (WEIGHT_MODES + ACTIVATION_MODES - 2)
) (
    input [WEIGHT_MODES-1:0] weight_width,  // one is set: bit n for 2^(n + 1) bits
    input [ACTIVATION_MODES-1:0] activation_width,
    input weights_signed,
    input activations_signed,
    input [DIGITS*2-1:0] weights,
    input [DIGITS*2-1:0] activations,
    output signed [5:0] product
);
  // For each pair of widths, the digits that this brick then takes; 0 where others are set. With m
  // digits of a weight and n of an activation, its product is the (ROW / m) * (columns / n) +
  // (COLUMN / n)-th.
  wire [2*WEIGHT_MODES*ACTIVATION_MODES-1:0] weight_choices, activation_choices;
  wire [WEIGHT_MODES-1:0] weight_tops;
  wire [ACTIVATION_MODES-1:0] activation_tops;
  genvar m, n;
  generate
    for (m = 0; m < WEIGHT_MODES; m = m + 1) begin : weight_widths
      assign weight_tops[m] = weight_width[m] & ((ROW + 1) % (1 << m) == 0);
      for (n = 0; n < ACTIVATION_MODES; n = n + 1) begin : activation_widths
        localparam AT = m * ACTIVATION_MODES + n;
        localparam OPERAND = ((ROW >> m) << (ACTIVATION_MODES - 1 - n)) + (COLUMN >> n);
        localparam WEIGHT = (OPERAND << m) + ROW % (1 << m);
        localparam ACTIVATION = (OPERAND << n) + COLUMN % (1 << n);
        wire set = weight_width[m] & activation_width[n];
        assign weight_choices[2*AT+:2] = weights[2*WEIGHT+:2] & {2{set}};
        assign activation_choices[2*AT+:2] = activations[2*ACTIVATION+:2] & {2{set}};
      end
    end
    for (n = 0; n < ACTIVATION_MODES; n = n + 1) begin : tops
      assign activation_tops[n] = activation_width[n] & ((COLUMN + 1) % (1 << n) == 0);
    end
  endgenerate

  reg [1:0] weight_digit, activation_digit;
  integer choice;
  always @* begin
    weight_digit = 2'b00;
    activation_digit = 2'b00;
    for (choice = 0; choice < WEIGHT_MODES * ACTIVATION_MODES; choice = choice + 1) begin
      weight_digit = weight_digit | weight_choices[2*choice+:2];
      activation_digit = activation_digit | activation_choices[2*choice+:2];
    end
  end

  wire weight_sign = weights_signed & (|weight_tops) & weight_digit[1];
  wire activation_sign = activations_signed & (|activation_tops) & activation_digit[1];
  wire signed [2:0] weight = {weight_sign, weight_digit};
  wire signed [2:0] activation = {activation_sign, activation_digit};
  assign product = weight * activation;
endmodule
