"""An ONNX model while it is written: nodes, constants, and the shape of every tensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from quant.graph import GraphError, IntegerType

Shape = tuple[int, int, int, int]
"""One image, channels, rows, columns."""

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
INDEX, TRUTH = TensorProto.INT64, TensorProto.BOOL
_STORAGE = {
    (4, True): TensorProto.INT4,
    (4, False): TensorProto.UINT4,
    (8, True): TensorProto.INT8,
    (8, False): TensorProto.UINT8,
    (16, True): TensorProto.INT16,
    (16, False): TensorProto.UINT16,
    (32, True): TensorProto.INT32,
}
"""ONNX's integers by width and whether they have a sign."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The narrowest of ONNX's integer types that holds some codes.

    Attributes:
        element: ONNX's number of the type.
        low: its least integer.
        high: its greatest.
    """

    element: int
    low: int
    high: int

    @classmethod
    def of(cls, integer: IntegerType, least_bits: int = 8) -> "Stored":
        """The type for codes, also for those that are no run of consecutive integers.

        Args:
            integer: the codes.
            least_bits: of the type.

        Raises:
            ValueError: they are too wide.
        """
        signed = integer.low < 0
        for (bits, is_signed), element in _STORAGE.items():
            low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
            fits = low <= integer.low and integer.high <= high
            if is_signed is signed and bits >= least_bits and fits:
                return cls(element, low, high)
        raise ValueError(f"no ONNX integers for {integer}")


@dataclass(eq=False)
class Draft:
    """The model so far. Tensors bear names; every name is used once."""

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, tuple[int, Sequence[int]]] = field(default_factory=dict)

    def constant(self, name: str, values: NDArray[Any] | np.generic | float) -> str:
        """A constant; of the NumPy type it has, float32 for a plain number."""
        array = np.asarray(values, None if isinstance(values, np.ndarray | np.generic) else "f4")
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def integers(self, name: str, element: int, values: NDArray[np.int64]) -> str:
        """A constant of one of ONNX's integer types, four bits wide ones among them."""
        made = helper.make_tensor(name, element, values.shape, values.reshape(-1).tolist())
        self.constants[name] = made
        return name

    def operator(
        self,
        kind: str,
        inputs: Sequence[str],
        output: str,
        shape: Sequence[int],
        element: int = FLOAT,
        *,
        name: str | None = None,
        domain: str = "",
        text: str = "",
        **attributes: Any,
    ) -> str:
        """Append an operator; gives the name of the tensor it makes.

        Args:
            kind: ONNX's name of the operator.
            inputs: tensors it reads.
            output: the tensor it makes.
            shape: of that tensor.
            element: type of that tensor.
            name: of the operator; None: that of the tensor.
            domain: of the operator, where it is none of ONNX's own.
            text: what viewers show beside it.
            **attributes: of the operator.

        Raises:
            GraphError: something else has the name of the tensor.
        """
        if output in self.tensors:
            raise GraphError(
                f"node '{output}': expected a name that no part of another node has in the model, "
                "found one; rename the node"
            )
        node = helper.make_node(
            kind, inputs, [output], name or output, domain=domain, doc_string=text, **attributes
        )
        self.nodes.append(node)
        self.tensors[output] = element, shape
        return output

    def model(
        self,
        name: str,
        ends: tuple[str, str],
        operator_sets: Mapping[str, int],
        ir_version: int,
        metadata: Mapping[str, str],
    ) -> bytes:
        """The finished model.

        Args:
            name: of its graph.
            ends: names of the input and of the output.
            operator_sets: version of each domain.
            ir_version: of the file.
            metadata: texts kept in the file.
        """
        self._drop_what_nobody_reads(ends[1])
        first, last = (helper.make_tensor_value_info(end, *self.tensors.pop(end)) for end in ends)
        graph = helper.make_graph(
            self.nodes,
            name,
            [first],
            [last],
            list(self.constants.values()),
            value_info=[
                helper.make_tensor_value_info(tensor, element, shape)
                for tensor, (element, shape) in self.tensors.items()
            ],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(*domain) for domain in operator_sets.items()],
            ir_version=ir_version,
            producer_name="hwsim",
        )
        helper.set_model_props(model, dict(metadata))
        content: bytes = model.SerializeToString()
        return content

    def _drop_what_nobody_reads(self, output: str) -> None:
        """Drop operators that do not lead to the output, such as its own dequantizer."""
        needed, kept = {output}, []
        for node in reversed(self.nodes):
            if node.output[0] in needed:
                needed.update(node.input)
                kept.append(node)
            else:
                del self.tensors[node.output[0]]
        self.nodes = kept[::-1]
