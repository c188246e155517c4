"""ONNX models: a module for each way in which one says how numbers are quantized."""
