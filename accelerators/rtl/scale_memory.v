// The scales of one column's outputs: what its requantizer is told of each block of channels.
// Written beforehand, read in the same cycle.
module scale_memory #(
    parameter ENTRIES = 16,
    parameter SCALE_BITS = 129,
    parameter ADDRESS_BITS = $clog2(ENTRIES)
) (
    input clock,
    input write,
    input [ADDRESS_BITS-1:0] write_address,
    input [SCALE_BITS-1:0] write_scale,
    input [ADDRESS_BITS-1:0] read_address,
    output [SCALE_BITS-1:0] read_scale
);
  reg [SCALE_BITS-1:0] scales[0:ENTRIES-1];
  assign read_scale = scales[read_address];

  always @(posedge clock) if (write) scales[write_address] <= write_scale;
endmodule
