"""What is computed in which codes: the steps from a float network to its encoded feature maps.

A plan has one step for each node of the network and one for each copy that a reader needs because
it wants other codes than those stored. `lower` makes integers of a plan, `quant.lowering.encoded`
computes it in float64: both follow the same steps, so their codes can be compared one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from quant.common.codes import CodeKind
from quant.graph import IntegerType
from quant.lowering.encodings import (
    IMAGE_BITS,
    MapEncoding,
    WeightEncoding,
    finer_encoding,
    image_encoding,
    picture_encoding,
    with_consecutive_codes,
)
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatFunction,
    FloatInput,
    FloatLayer,
    FloatOperator,
    FloatPRelu,
)
from quant.lowering.run_time_points import (
    NORMALIZATION,
    SUMMARY,
    EncodePoints,
    Normalize,
    PointEncoding,
    RunTimeOperator,
    Summarize,
    channels_of,
)
from quant.lowering.storage import REARRANGING, Storage, Store, storages

TABLE_BITS = 12
"""Widest codes a lookup table of a function reads: 4096 entries."""

NARROW_BITS = 9
"""Widest codes read by a table where arithmetic would round differently: 512 entries. Sums of two
8-bit codes have 9 bits (FQSR's skip connections)."""

_WHOLE = 2.0**-20
"""How far from a whole number of codes float64 may bring one."""

_SAME = FloatAffine(np.ones(1), np.zeros(1))

_ROUNDS_OFFSETS = FloatLayer | FloatAdd | FloatAffine | FloatClamp
"""Operators whose sums take an offset, so that the real number 0 may lie between their codes."""


@dataclass(frozen=True, slots=True, eq=False)
class Encodings:
    """Everything a quantization method decides.

    Attributes:
        inputs: for each convolution, the encoding it reads its feature map in; for those that
            read the image, one that `image_encoding` made.
        weights: for each convolution, its integers.
        streams: for each name in `stream_names`, a signed encoding.
        outputs: for some nodes, an encoding that their result is stored in whatever reads it.
        operands: for some additions, the encoding both operands are read in.
        points: for some convolutions, how channels of ``inputs`` become points at run time.
    """

    inputs: Mapping[str, MapEncoding]
    weights: Mapping[str, WeightEncoding]
    streams: Mapping[str, MapEncoding]
    outputs: Mapping[str, MapEncoding] = field(default_factory=dict)
    operands: Mapping[str, MapEncoding] = field(default_factory=dict)
    points: Mapping[str, PointEncoding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """The same feature map in other codes.

    Attributes:
        coarsens_image: whether it is the image with fewer bits over the same range.
    """

    coarsens_image: bool


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One feature map of a plan.

    Attributes:
        name: of the feature map.
        operator: what computes it.
        inputs: the feature maps it is computed from.
        sources: their encodings.
        target: its encoding.
        channels: its channels.
        node: the node of the float network it belongs to; of a copy, the node that reads it.
        is_table: whether it is computed by a lookup table.
    """

    name: str
    operator: FloatOperator | Copy | RunTimeOperator
    inputs: tuple[str, ...]
    sources: tuple[MapEncoding, ...]
    target: MapEncoding
    channels: int
    node: str
    is_table: bool


def is_table(operator: FloatOperator | Copy, source: MapEncoding, target: MapEncoding) -> bool:
    """Whether an operator is computed by a table.

    A function always is. Other pointwise ones that read narrow codes are where arithmetic cannot
    do it in one rounding: from or to odd codes, or codes that the real number 0 lies between. A
    copy to the latter has its offset in whole codes (`with_whole_offsets`).
    """
    match operator:
        case FloatFunction():
            return True
        case Copy(coarsens_image=False) | FloatAffine() | FloatClamp() | FloatPRelu():
            narrow = source.integer.bits <= NARROW_BITS
        case _:
            return False
    odd = CodeKind.ODD in (source.integer.kind, target.integer.kind)
    match operator:
        case Copy():
            exact = _adds_whole_codes(_SAME, source, target)
        case FloatAffine():
            exact = _adds_whole_codes(operator, source, target)
        case _:
            exact = source.offset == 0 == target.offset
    return narrow and (odd or not exact)


def _adds_whole_codes(affine: FloatAffine, source: MapEncoding, target: MapEncoding) -> bool:
    """Whether arithmetic, which adds whole codes and then multiplies, is an affine map exactly."""
    if affine.scale.min() <= 0:
        return False
    added = (affine.offset + target.offset) / (affine.scale * source.scale) - source.zero
    return bool(np.abs(added - np.rint(added)).max() < _WHOLE)


def plan(network: FloatNetwork, encodings: Encodings) -> tuple[Step, ...]:
    """The steps of a folded network, producers before consumers.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
    """
    planner = _Planner(network, encodings)
    for node in network.nodes:
        planner.append(node)
    return tuple(planner.steps)


@dataclass(eq=False)
class _Planner:
    """The steps so far, and what the codes of their feature maps mean."""

    network: FloatNetwork
    encodings: Encodings
    steps: list[Step] = field(default_factory=list)
    maps: dict[str, MapEncoding] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    copies: dict[tuple[object, ...], str] = field(default_factory=dict)
    _channels: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.storages = storages(self.network)
        self.channels = self.network.channels()

    def append(self, node: FloatNode) -> None:
        """Plan one node; its operands have been planned before."""
        storage = self.storages[node.name]
        if storage.store is Store.IMAGE:
            self.images.add(node.name)
        target = self.encodings.outputs.get(node.name) or self._encoding(storage)
        if not self._is_table(node, target):
            target = _roundable(node.operator, target)
        inputs = tuple(
            self._operand(node, position, target) for position in range(len(node.inputs))
        )
        if (points := self.encodings.points.get(node.name)) is not None:
            inputs = self._points(node.name, inputs[0], points)
        self._append(node.name, node.operator, inputs, target, node.name)

    def _is_table(self, node: FloatNode, target: MapEncoding) -> bool:
        return bool(node.inputs) and is_table(node.operator, self.maps[node.inputs[0]], target)

    def _encoding(self, storage: Storage) -> MapEncoding:
        match storage.store:
            case Store.IMAGE:
                image = self.network.nodes[0].operator
                assert isinstance(image, FloatInput)
                return image_encoding(image, IMAGE_BITS)
            case Store.PICTURE:
                return picture_encoding(self.network)
            case Store.LAYER:
                return self.encodings.inputs[storage.name]
            case Store.STREAM:
                return self.encodings.streams[storage.name]

    def _operand(self, node: FloatNode, position: int, result: MapEncoding) -> str:
        """The feature map a node reads: its operand, or a copy in the encoding it needs."""
        source = node.inputs[position]
        stored = self.maps[source]
        wanted = self._wanted(node, stored, result)
        if wanted.key == stored.key:
            return source
        suffix = str(position) if len(node.inputs) > 1 else ""
        name = f"{node.name}.input{suffix}"
        as_image = source in self.images and isinstance(node.operator, FloatLayer)
        twin = with_consecutive_codes(wanted)
        if twin is not wanted and stored.integer.bits > NARROW_BITS:
            # Only a table makes other codes, and none reads so many bits.
            source = self._copy(source, twin, f"{name}.rounded", node.name, coarsens_image=False)
        return self._copy(source, wanted, name, node.name, coarsens_image=as_image)

    def _copy(
        self, source: str, wanted: MapEncoding, name: str, node: str, *, coarsens_image: bool
    ) -> str:
        key = (source, *wanted.key)
        if key not in self.copies:
            self.copies[key] = name
            self._append(name, Copy(coarsens_image), (source,), wanted, node)
        return self.copies[key]

    def _points(self, node: str, source: str, encoding: PointEncoding) -> tuple[str, ...]:
        """The codes of points that a layer reads, and the means and reaches of its channels."""
        kind = "normalization" if encoding.is_centred else "reaches"
        summary, factors, codes = f"{source}.summary", f"{source}.{kind}", f"{node}.points"
        normalize = Normalize(encoding.is_centred)
        self._append_run_time(summary, Summarize(), (source,), SUMMARY, node)
        self._append_run_time(factors, normalize, (summary,), NORMALIZATION, node)
        encode = EncodePoints(encoding)
        self._append_run_time(codes, encode, (source, factors), encoding.codes, node)
        return codes, factors

    def _append_run_time(
        self,
        name: str,
        operator: RunTimeOperator,
        inputs: tuple[str, ...],
        target: MapEncoding,
        node: str,
    ) -> None:
        """One of the three steps, unless another layer that reads the same map has it already."""
        if name in self.maps:
            return
        sources = tuple(self.maps[source] for source in inputs)
        of_map = self._channels[inputs[0].removesuffix(".summary")]
        channels = self._channels[name] = channels_of(operator, of_map)
        self.maps[name] = target
        self.steps.append(Step(name, operator, inputs, sources, target, channels, node, False))

    def _wanted(self, node: FloatNode, stored: MapEncoding, result: MapEncoding) -> MapEncoding:
        """The encoding in which a node reads its operand; most take any."""
        operator = node.operator
        if isinstance(operator, FloatLayer):
            return self.encodings.inputs[node.name]
        if node.name in self.encodings.operands:
            return self.encodings.operands[node.name]
        if isinstance(operator, REARRANGING):
            return result
        excess = stored.integer.bits - TABLE_BITS
        if isinstance(operator, FloatFunction) and excess > 0:
            narrow = IntegerType(TABLE_BITS, CodeKind.SIGNED)
            return replace(stored, integer=narrow, scale=stored.scale * 2.0**excess)
        return stored

    def _append(
        self,
        name: str,
        operator: FloatOperator | Copy,
        inputs: tuple[str, ...],
        target: MapEncoding,
        node: str,
    ) -> None:
        channels = self._channels[inputs[0]] if isinstance(operator, Copy) else self.channels[node]
        self._channels[name] = channels
        sources = tuple(self.maps[source] for source in inputs)
        tabled = bool(sources) and is_table(operator, sources[0], target)
        self.steps.append(Step(name, operator, inputs, sources, target, channels, node, tabled))
        self.maps[name] = target


def _roundable(operator: FloatOperator, target: MapEncoding) -> MapEncoding:
    """The encoding in which sums of an operator can be rounded; what reads them takes a copy."""
    if isinstance(operator, FloatInput | REARRANGING):
        return target
    consecutive = with_consecutive_codes(target)
    if consecutive.offset == 0 or isinstance(operator, _ROUNDS_OFFSETS):
        return consecutive
    return finer_encoding(consecutive)


def with_whole_offsets(network: FloatNetwork, encodings: Encodings) -> Encodings:
    """The encodings with zeros moved a little, so that no copy has to round them.

    A copy of wide codes adds its offset in whole codes of what it copies; so does an affine map.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
    """
    moved = dict(encodings.inputs)
    for step in plan(network, encodings):
        if isinstance(step.operator, Copy) and not step.is_table and step.target.offset != 0:
            (source,), target = step.sources, step.target
            codes = round(target.offset / source.scale)
            zero = target.zero_point + codes * source.scale / target.scale
            original = moved.get(step.node)
            if original is None or original.key != target.key:
                continue  # of a stack, or the consecutive codes of odd ones, which lie halfway
            moved[step.node] = replace(original, zero=np.array([zero]))
    return replace(encodings, inputs=moved)
