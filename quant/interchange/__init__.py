"""Integer graphs as the files of inference engines, and such files as integer graphs.

`derivation` has our operators as an engine derives them from the scales of its tensors; writers
and readers both go through it, so what is written is computed as the graph says, or refused.
`tflite_writer`, `tflite_reader` and `onnx_writer` need packages of the extra ``[verify]``.
"""
