"""Integer graphs as the files of inference engines, and such files as integer graphs.

`derivation` has our operators as an engine derives them from the scales of its tensors; writers
and readers both go through it, so what is written is computed as the graph says, or refused.
Modules of ONNX files need the extra ``[onnx]``, those of TensorFlow Lite files ``[tflite]``.
"""
