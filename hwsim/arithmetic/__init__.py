"""What each integer operator computes, as plain arrays in and out.

Every operator has a page in ``docs/operators``, a definition in `hwsim.arithmetic.reference` that
reads like the page, and a fast kernel tested against it: `hwsim.arithmetic.convolution`,
`hwsim.arithmetic.elementwise` and, for codes in simulated memories, `hwsim.arithmetic.packing`.
"""
