"""Which bits each layer has: a default, the first and last layer, and exceptions by pattern."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from quant.common.errors import UserError, suggestion
from quant.policy.bits import LayerBits

DEFAULT_RESIDUAL_BITS = 12
"""Bits of feature maps that take part in additions. They cost 0.00 dB against 16 bits on Set5;
``docs/policies.md`` has the measurement."""

FIRST_AND_LAST_MINIMUM = LayerBits(8, 8)
"""What the first and last layer keep when all others get less: quantized super-resolution is
reported that way (AdaBM's fully quantized models fix them at 8 bits)."""

_MINIMUM_RESIDUAL_BITS, _MAXIMUM_RESIDUAL_BITS = 2, 16
_EVERY_LAYER = "/all"


@dataclass(frozen=True, slots=True)
class Override:
    """Bits for the layers whose name, or the name of a module around them, fits a pattern.

    Attributes:
        pattern: a layer's path with ``*``, ``?`` and ``[...]`` as in file names.
        bits: what those layers get.
        source: where it was written, for messages: ``file:line``, or nothing.
    """

    pattern: str
    bits: LayerBits
    source: str = field(default="", compare=False)

    def fits(self, layer: str) -> bool:
        """Whether the pattern names this layer or a module that contains it."""
        return fits_layer(self.pattern, layer)


@dataclass(frozen=True, slots=True)
class BitPolicy:
    """Bits of every layer of a network that has not been seen yet.

    Attributes:
        default: bits of a layer nothing else is said about.
        first_and_last: bits of the first and last layer; None: they are layers like the others.
        overrides: exceptions, also from ``first_and_last``; of several that fit, the last counts.
        residual_bits: bits of signed feature maps that take part in additions, 2–16.

    Raises:
        UserError: ``residual_bits`` is outside 2–16.
        ValueError: two overrides have the same pattern.
    """

    default: LayerBits
    first_and_last: LayerBits | None = None
    overrides: tuple[Override, ...] = ()
    residual_bits: int = DEFAULT_RESIDUAL_BITS

    def __post_init__(self) -> None:
        if not _MINIMUM_RESIDUAL_BITS <= self.residual_bits <= _MAXIMUM_RESIDUAL_BITS:
            raise UserError(
                f"residual_bits: expected {_MINIMUM_RESIDUAL_BITS} to {_MAXIMUM_RESIDUAL_BITS}, "
                f"given {self.residual_bits}; choose a width in that range"
            )
        if len({entry.pattern for entry in self.overrides}) < len(self.overrides):
            raise ValueError("BitPolicy: expected each pattern once; with_layer replaces one")

    @classmethod
    def parse(cls, text: str) -> "BitPolicy":
        """The policy of a spelling.

        ``w4a4`` gives every layer 4 and 4 bits except the first and last, which keep at least 8
        and 8; ``w4a4/all`` means every layer. Feature maps that take part in additions have 12
        bits, or as many as the activations if those have more.

        Raises:
            UserError: the text is no such spelling, or a width is outside 1–16.
        """
        bits = LayerBits.parse(text.removesuffix(_EVERY_LAYER))
        every = text.endswith(_EVERY_LAYER)
        return cls(
            bits,
            first_and_last=None if every else bits.at_least(FIRST_AND_LAST_MINIMUM),
            residual_bits=_usual_residual_bits(bits),
        )

    @classmethod
    def load(cls, text: str | Path) -> "BitPolicy":
        """The policy a user asks for: a spelling, the name of a shipped one, or a YAML file.

        Raises:
            UserError: it is none of these, or the file is not a policy (the message has its line).
        """
        from quant.policy import files  # the schema library takes a while to import

        name = str(text)
        if isinstance(text, Path) or name.endswith(files.SUFFIXES) or "/" in _without_all(name):
            return files.read_policy(Path(text))
        if name in policy_names():
            return files.read_policy(shipped_folder() / f"{name}.yaml")
        try:
            return cls.parse(name)
        except UserError as error:
            if name.startswith("w") and name[1:2].isdigit():
                raise
            raise UserError(
                f"bit policy '{name}': expected a spelling such as 'w4a8', a .yaml file or a "
                f"shipped policy; {suggestion(name, policy_names())}"
            ) from error

    def resolve(self, layer_names: Sequence[str]) -> dict[str, LayerBits]:
        """Bits of each layer, in the order given.

        Args:
            layer_names: the network's convolutions, first to last.

        Raises:
            UserError: an override fits no layer.
        """
        bits = dict.fromkeys(layer_names, self.default)
        if self.first_and_last is not None and layer_names:
            bits[layer_names[0]] = bits[layer_names[-1]] = self.first_and_last
        for override in self.overrides:
            fitting = [name for name in layer_names if override.fits(name)]
            if not fitting:
                where = f"{override.source}: " if override.source else ""
                raise UserError(
                    f"{where}policy layer '{override.pattern}': expected the name or a pattern of "
                    f"the network's layers; {suggestion(override.pattern, layer_names)}"
                )
            bits.update(dict.fromkeys(fitting, override.bits))
        return bits

    def with_layer(self, name: str, bits: LayerBits) -> "BitPolicy":
        """The same policy with one more override, which counts more than the earlier ones."""
        others = [override for override in self.overrides if override.pattern != name]
        return replace(self, overrides=(*others, Override(name, bits)))

    def to_yaml(self) -> str:
        """The policy as the text of a file that `load` reads back to an equal policy."""
        if self.first_and_last is None:
            lines = [f"default: {self.default}{_EVERY_LAYER}"]
        else:
            lines = [f"default: {self.default}", f"first_and_last: {self.first_and_last}"]
        if self.overrides:
            lines.append("layers:")
            lines += [f"  {_quoted(entry.pattern)}: {entry.bits}" for entry in self.overrides]
        lines.append(f"residual_bits: {self.residual_bits}")
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        """A few words: the spelling where there is one, else what differs from it."""
        every = "" if self.first_and_last else _EVERY_LAYER
        words = [f"{self.default}{every}"]
        if self.first_and_last not in (None, self.default.at_least(FIRST_AND_LAST_MINIMUM)):
            words.append(f"first and last {self.first_and_last}")
        if self.overrides:
            words.append(f"{len(self.overrides)} overrides")
        if self.residual_bits != _usual_residual_bits(self.default):
            words.append(f"residual {self.residual_bits}")
        return ", ".join(words)


def fits_layer(pattern: str, layer: str) -> bool:
    """Whether a pattern (``*``, ``?``, ``[...]``) names a layer or a module that contains it."""
    return any(fnmatchcase(path, pattern) for path in _enclosing(layer))


def policy_names() -> tuple[str, ...]:
    """Names of the policies that come with the package."""
    return tuple(sorted(file.stem for file in shipped_folder().glob("*.yaml")))


def shipped_folder() -> Path:
    """The folder of the shipped policies: inside the package in a wheel, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "configs" / "policies"
    return installed if installed.is_dir() else package.parent / "configs" / "policies"


def _usual_residual_bits(default: LayerBits) -> int:
    return max(DEFAULT_RESIDUAL_BITS, default.activation_bits)


def _enclosing(layer: str) -> Iterator[str]:
    """``a.b.c``, ``a.b`` and ``a``."""
    while layer:
        yield layer
        layer = layer.rpartition(".")[0]


def _without_all(text: str) -> str:
    return text.removesuffix(_EVERY_LAYER)


def _quoted(pattern: str) -> str:
    """A pattern as a YAML key: in single quotes, where only the quote itself is special."""
    return "'" + pattern.replace("'", "''") + "'"
