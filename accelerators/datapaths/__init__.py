"""The kinds of MAC array there are: for each, semantics, limits, cycles and access counts.

A machine names its kind in ``array.dataflow``; each kind is one module with a page of the same
name under docs/datapaths/.
"""
