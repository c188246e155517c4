"""Models whose parts are all valid but put together otherwise: other operands, other operators."""

import json
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
from tflite import BuiltinOperator

from quant.interchange.onnx_reader import READERS
from quant.interchange.tflite_operators import READERS as TFLITE_READERS
from quant.lowering.aten_operators import OPERATORS as ATEN_OPERATORS
from quant.lowering.onnx_float_operators import OPERATORS as FLOAT_OPERATORS
from tests.fuzzing.mutations import Random

_ONNX_OPERATORS = tuple(sorted({*READERS, *FLOAT_OPERATORS}))
_SHAPES = ((), (0,), (1,), (2,), (3,), (4,), (8,), (3, 1, 1), (1, 3, 1, 1), (3, 3, 1, 1), (4, 2))
_DTYPES = (np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8, np.int16, np.bool_)
_VALUES = (0, 1, 2, 3, 0.5, -1, 100)


def rewire_onnx(content: bytes, random: Random) -> bytes:
    """An ONNX model with operators, operands or constants exchanged."""
    from onnx import ModelProto

    model = ModelProto.FromString(content)
    for _ in range(int(random.geometric(0.5))):
        _ONNX_CHANGES[int(random.integers(len(_ONNX_CHANGES)))](model.graph, random)
    changed: bytes = model.SerializeToString()
    return changed


def _any(values: Any, random: Random) -> Any:
    return values[int(random.integers(len(values)))]


def _onnx_operator(graph: Any, random: Random) -> None:
    node = _any(graph.node, random)
    node.domain, _, node.op_type = _any(_ONNX_OPERATORS, random).rpartition(".")


def _onnx_operands(graph: Any, random: Random) -> None:
    place = int(random.integers(len(graph.node)))
    node = graph.node[place]
    made = [name for earlier in graph.node[:place] for name in earlier.output]
    names = ["", graph.input[0].name, *(c.name for c in graph.initializer), *made, *made]
    match int(random.integers(4)):
        case 0 if node.input:
            del node.input[int(random.integers(len(node.input)))]
        case 1:
            node.input.append(_any(names, random))
        case _ if node.input:
            node.input[int(random.integers(len(node.input)))] = _any(names, random)


def _onnx_constant(graph: Any, random: Random) -> None:
    from onnx import numpy_helper

    if graph.initializer:
        constant = _any(graph.initializer, random)
        values = np.full(_any(_SHAPES, random), _any(_VALUES, random))
        other = numpy_helper.from_array(values.astype(_any(_DTYPES, random)), constant.name)
        constant.CopyFrom(other)


def _onnx_attribute(graph: Any, random: Random) -> None:
    """Attributes of another node."""
    node, other = _any(graph.node, random), _any(graph.node, random)
    del node.attribute[:]
    node.attribute.extend(other.attribute)


_ONNX_CHANGES = (_onnx_operator, _onnx_operands, _onnx_operands, _onnx_constant, _onnx_attribute)


def rewire_tflite(content: bytes, random: Random) -> bytes:
    """A TensorFlow Lite model with operators, operands or tensors exchanged."""
    import flatbuffers
    from ai_edge_litert.schema_py_generated import Model, ModelT

    model = ModelT.InitFromObj(Model.GetRootAs(content, 0))
    for _ in range(int(random.geometric(0.5))):
        _TFLITE_CHANGES[int(random.integers(len(_TFLITE_CHANGES)))](model, random)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tflite_operator(model: Any, random: Random) -> None:
    code = _any(model.operatorCodes, random)
    code.builtinCode = code.deprecatedBuiltinCode = _any(_TFLITE_CODES, random)


def _tflite_operands(model: Any, random: Random) -> None:
    graph = model.subgraphs[0]
    operator = _any(graph.operators, random)
    inputs = list(operator.inputs)
    tensor = int(random.integers(-1, len(graph.tensors)))
    match int(random.integers(4)):
        case 0 if inputs:
            del inputs[int(random.integers(len(inputs)))]
        case 1:
            inputs.append(tensor)
        case _ if inputs:
            inputs[int(random.integers(len(inputs)))] = tensor
    operator.inputs = inputs


def _tflite_tensor(model: Any, random: Random) -> None:
    tensor = _any(model.subgraphs[0].tensors, random)
    other = _any(model.subgraphs[0].tensors, random)
    field = _any(("shape", "type", "buffer", "quantization"), random)
    setattr(tensor, field, getattr(other, field))


def _tflite_options(model: Any, random: Random) -> None:
    operator, other = (_any(model.subgraphs[0].operators, random) for _ in range(2))
    operator.builtinOptionsType = other.builtinOptionsType
    operator.builtinOptions = other.builtinOptions


_TFLITE_CODES = tuple(getattr(BuiltinOperator, name) for name in TFLITE_READERS)
_TFLITE_CHANGES = (_tflite_operator, _tflite_operands, _tflite_tensor, _tflite_options)


def rewire_exported(content: bytes, random: Random) -> bytes:
    """An exported program with calls or arguments exchanged."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(target, "w") as made:
        for entry in source.infolist():
            held = source.read(entry)
            if "/models/" in entry.filename and entry.filename.endswith(".json"):
                program = json.loads(held)
                for _ in range(int(random.geometric(0.5))):
                    _rewire_call(program["graph_module"]["graph"]["nodes"], random)
                held = json.dumps(program).encode()
            made.writestr(entry, held)
    return target.getvalue()


def _rewire_call(calls: list[dict[str, Any]], random: Random) -> None:
    call, other = _any(calls, random), _any(calls, random)
    match int(random.integers(5)):
        case 0:
            call["target"] = f"torch.ops.aten.{_any(sorted(ATEN_OPERATORS), random)}.default"
        case 1:
            call["target"] = other["target"]
        case 2:
            call["inputs"] = other["inputs"]
        case 3 if call["inputs"]:
            del call["inputs"][int(random.integers(len(call["inputs"])))]
        case _ if call["inputs"] and other["inputs"]:
            _any(call["inputs"], random)["arg"] = _any(other["inputs"], random)["arg"]
