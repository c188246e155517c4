"""Graphs as JSON records beside named integer arrays, and back, with every value checked.

Each operator is a dataclass; the annotation of a field decides how it is written (`_CODECS`), so
a new operator needs nothing here unless it brings a new kind of field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from quant.common.accumulators import Accumulator
from quant.graph.graph import Graph, Node
from quant.graph.operators import OPERATORS, FusedTerms, Integers, Requantization, TermRounding
from quant.graph.types import Encoding, IntegerType, Padding, TensorType

Arrays = dict[str, NDArray[np.int64]]
Record = dict[str, Any]
ValueT = TypeVar("ValueT")

_LARGEST_INTEGER = (1 << 63) - 1


class RecordError(Exception):
    """A record that is not what the format says; the message names the place."""


def graph_to_record(graph: Graph, arrays: Arrays) -> Record:
    """The graph as plain JSON values.

    Args:
        graph: any graph.
        arrays: receives each integer array under the name its record refers to.
    """
    return {
        "name": graph.name,
        "output": graph.output,
        "metadata": dict(graph.metadata),
        "nodes": [_node_to_record(node, arrays) for node in graph.nodes],
    }


def graph_from_record(record: object, arrays: Mapping[str, NDArray[np.int64]]) -> Graph:
    """The graph of a record, its nodes in a computable order.

    Args:
        record: what `graph_to_record` made.
        arrays: every array the record refers to, and no other.

    Raises:
        RecordError: a value is missing, superfluous, of another type or out of range.
        UserError: the wiring is broken, or an integer type has an impossible width.
    """
    fields = named_entries(record, "graph", ("name", "output", "metadata", "nodes"))
    metadata = typed_entry(fields["metadata"], dict, "graph: metadata")
    for value in metadata.values():
        typed_entry(value, str, "graph: metadata")
    remaining = dict(arrays)
    nodes = [_node_from_record(entry, remaining) for entry in list_entry(fields["nodes"], "nodes")]
    if remaining:
        raise RecordError(f"array '{min(remaining)}': expected a node that uses it, found none")
    name = typed_entry(fields["name"], str, "graph: name")
    return Graph.build(name, nodes, typed_entry(fields["output"], str, "graph: output"), metadata)


def _node_to_record(node: Node, arrays: Arrays) -> Record:
    encoding = node.output.encoding
    return {
        "name": node.name,
        "kind": node.operator.kind,
        "inputs": list(node.inputs),
        "operator": _encode(node.operator, node.name, arrays),
        "output": {
            "channels": node.output.channels,
            "integer": str(node.output.integer),
            "scale": float(encoding.scale),
            "zero_point": list(encoding.zero_point),
        },
    }


def _node_from_record(record: object, arrays: Arrays) -> Node:
    fields = named_entries(record, "node", ("name", "kind", "inputs", "operator", "output"))
    name = typed_entry(fields["name"], str, "node: name")
    kind = typed_entry(fields["kind"], str, f"{name}: kind")
    if kind not in OPERATORS:
        raise RecordError(
            f"{name}: expected an operator among {', '.join(OPERATORS)}, found {_shown(kind)}"
        )
    inputs = list_entry(fields["inputs"], f"{name}: inputs")
    return Node(
        name,
        _decode(OPERATORS[kind], fields["operator"], name, arrays),
        tuple(typed_entry(source, str, f"{name}: inputs") for source in inputs),
        _tensor_type(fields["output"], f"{name}: output"),
    )


def _tensor_type(record: object, where: str) -> TensorType:
    fields = named_entries(record, where, ("channels", "integer", "scale", "zero_point"))
    zero_point = list_entry(fields["zero_point"], where)
    return TensorType(
        integer_entry(fields["channels"], where),
        IntegerType.parse(typed_entry(fields["integer"], str, where)),
        Encoding(
            typed_entry(fields["scale"], float, where),
            tuple(integer_entry(value, where) for value in zero_point),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one kind of field is written and read.

    ``write`` takes the value, its dotted name and the arrays to add to; ``read`` takes the
    record's value, the dotted name and the arrays to take from.
    """

    write: Callable[[Any, str, Arrays], object]
    read: Callable[[object, str, Arrays], Any]


def _encode(value: object, name: str, arrays: Arrays) -> Record:
    return {
        field: _CODECS[annotation].write(getattr(value, field), f"{name}.{field}", arrays)
        for field, annotation in _annotations(type(value)).items()
    }


def _decode(kind: type[ValueT], record: object, name: str, arrays: Arrays) -> ValueT:
    annotations = _annotations(kind)
    fields = named_entries(record, name, tuple(annotations))
    return kind(
        **{
            field: _CODECS[annotation].read(fields[field], f"{name}.{field}", arrays)
            for field, annotation in annotations.items()
        }
    )


def _annotations(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _write_plain(value: object, name: str, arrays: Arrays) -> object:
    return value


def _write_pair(value: tuple[int, int], name: str, arrays: Arrays) -> list[int]:
    return list(value)


def _write_integer_type(value: IntegerType, name: str, arrays: Arrays) -> str:
    return str(value)


def _write_array(value: Integers, name: str, arrays: Arrays) -> str:
    arrays[name] = value
    return name


def _read_integer(value: object, name: str, arrays: Arrays) -> int:
    return integer_entry(value, name)


def _read_truth(value: object, name: str, arrays: Arrays) -> bool:
    return typed_entry(value, bool, name)


def _read_text(value: object, name: str, arrays: Arrays) -> str:
    return typed_entry(value, str, name)


def _read_pair(value: object, name: str, arrays: Arrays) -> tuple[int, int]:
    values = [integer_entry(entry, name) for entry in list_entry(value, name)]
    if len(values) != 2:
        raise RecordError(f"{name}: expected two whole numbers, found {_shown(values)}")
    return values[0], values[1]


def _read_integer_type(value: object, name: str, arrays: Arrays) -> IntegerType:
    return IntegerType.parse(typed_entry(value, str, name))


def _read_array(value: object, name: str, arrays: Arrays) -> Integers:
    if value != name or name not in arrays:
        raise RecordError(f"{name}: expected the array of that name, found {_shown(value)}")
    array = arrays.pop(name)
    if array.size == 0:
        raise RecordError(f"{name}: expected an array with values, found an empty one")
    return array


def _write_padding(value: Padding, name: str, arrays: Arrays) -> list[int]:
    return [value.top, value.bottom, value.left, value.right]


def _read_padding(value: object, name: str, arrays: Arrays) -> Padding:
    values = [integer_entry(entry, name) for entry in list_entry(value, name)]
    if len(values) != 4:
        raise RecordError(f"{name}: expected four whole numbers, found {_shown(values)}")
    return Padding(*values)


def _nested(kind: type[Any]) -> _Codec:
    """Of a field that is a dataclass of fields itself."""
    return _Codec(_encode, lambda value, name, arrays: _decode(kind, value, name, arrays))


def _optional(codec: _Codec) -> _Codec:
    """Of a field that may be None."""
    return _Codec(
        lambda value, name, arrays: None if value is None else codec.write(value, name, arrays),
        lambda value, name, arrays: None if value is None else codec.read(value, name, arrays),
    )


def _read_term_rounding(value: object, name: str, arrays: Arrays) -> TermRounding | FusedTerms:
    if isinstance(value, dict) and "addend" in value:
        return _decode(FusedTerms, value, name, arrays)
    return _decode(TermRounding, value, name, arrays)


_CODECS: dict[object, _Codec] = {
    int: _Codec(_write_plain, _read_integer),
    str: _Codec(_write_plain, _read_text),
    tuple[int, int]: _Codec(_write_pair, _read_pair),
    IntegerType: _Codec(_write_integer_type, _read_integer_type),
    Integers: _Codec(_write_array, _read_array),
    bool: _Codec(_write_plain, _read_truth),
    Padding: _Codec(_write_padding, _read_padding),
    Requantization: _nested(Requantization),
    Accumulator | None: _optional(_nested(Accumulator)),
    Integers | None: _optional(_Codec(_write_array, _read_array)),
    TermRounding | FusedTerms | None: _optional(_Codec(_encode, _read_term_rounding)),
}


def named_entries(record: object, where: str, wanted: tuple[str, ...]) -> Record:
    """The entries of a record that must be exactly those of some names."""
    fields: Record = typed_entry(record, dict, where)
    if set(fields) != set(wanted):
        raise RecordError(
            f"{where}: expected the entries {', '.join(wanted)}, found {_shown(sorted(fields))}"
        )
    return fields


def list_entry(value: object, where: str) -> list[Any]:
    """A value that must be a list."""
    return typed_entry(value, list, where)


def typed_entry(value: object, kind: type[ValueT], where: str) -> ValueT:
    """A value that must be of a type."""
    if not isinstance(value, kind):
        raise RecordError(f"{where}: expected {_WORDS[kind]}, found {_shown(value)}")
    return value


def integer_entry(value: object, where: str) -> int:
    """A value that must be a whole number of at most 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_INTEGER:
        raise RecordError(f"{where}: expected a 64-bit whole number, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


_WORDS: dict[type, str] = {
    dict: "named entries",
    list: "a list",
    str: "text",
    float: "a number with a point",
    bool: "true or false",
}
