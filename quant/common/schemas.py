"""The base of every schema of a configuration file, and the words its errors are told in."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from quant.common.errors import UserError, suggestion
from quant.common.yaml_documents import Document, Location, read_document

ModelT = TypeVar("ModelT", bound=BaseModel)


class Schema(BaseModel):
    """A frozen record that takes no unknown keys, no converted types and no infinities."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Contradictions(ValueError):
    """Values that are fine one by one but not together; raised by a schema's own validator.

    Attributes:
        problems: for each, the key to blame and the sentence.
    """

    def __init__(self, problems: Iterable[tuple[Location, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(sentence for _, sentence in self.problems))


def validate(path: Path, model: type[ModelT], what: str = "YAML") -> ModelT:
    """Read a YAML file and check it against a schema.

    Args:
        path: the file.
        model: what its top-level mapping must satisfy.
        what: what the file should describe, for the messages ("accelerator", …).

    Raises:
        UserError: as `read_document` and `validate_data`, which names ``file:line``.
    """
    return validate_document(read_document(path, what), model)


def validate_document(document: Document, model: type[ModelT]) -> ModelT:
    """Check a document that was read before; see `validate`."""
    return validate_data(document.data, model, document.where)


def validate_data(data: object, model: type[ModelT], where: Callable[[Location], str]) -> ModelT:
    """Check plain values against a schema.

    Args:
        data: what `model` should be made from.
        model: the schema.
        where: names the place of a value for a message, e.g. ``file:line``.

    Raises:
        UserError: one line for each problem.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [
            (where(location), _dotted(location), sentence)
            for details in error.errors(include_url=False)
            for location, sentence in _problems(details, model)
        ]
    raise UserError("\n".join(": ".join(filter(None, problem)) for problem in problems))


_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "'key: value' lines",
    "dict_type": "'key: value' lines",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}


def _problems(details: ErrorDetails, model: type[BaseModel]) -> list[tuple[Location, str]]:
    """What one validation error says, as places and sentences."""
    location = details["loc"]
    context = details.get("ctx", {})
    kind = details["type"]
    cause = context.get("error")
    if isinstance(cause, Contradictions):
        return [((*location, *inner), sentence) for inner, sentence in cause.problems]
    if kind == "missing":
        return [(location, f"missing; add '{location[-1]}: …'")]
    if kind == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        return [(location, f"unknown key; {suggestion(str(location[-1]), known)}")]
    if cause is not None:
        return [(location, str(cause))]
    if kind == "too_short" and len(details["input"]) >= context["min_length"]:
        return []  # long enough, but pydantic does not count the entries it refused
    wanted = _EXPECTED.get(kind, details["msg"]).format(**context)
    return [(location, f"expected {wanted}, got {_given(details['input'], kind)}")]


def _given(value: object, kind: str) -> str:
    """The user's value in the user's terms."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "'key: value' lines"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} entries"
    if isinstance(value, str):
        hint = "; write the number without quotes" if kind in _NUMERIC and _is_number(value) else ""
        return f"the text '{value[:60]}'{hint}"
    return str(value)[:60]


_NUMERIC = frozenset({"int_type", "float_type"})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _dotted(location: Location) -> str:
    """``("array", "points", 2)`` as ``array.points[2]``."""
    words = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in location]
    return "".join(words).removeprefix(".")


def _fields_at(model: type[BaseModel], location: Location) -> list[str]:
    """The keys the schema knows at a place."""
    current = model
    for step in location:
        if isinstance(step, str):
            current = _inner_model(current.model_fields[step].annotation)
    return list(current.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel]:
    """The schema inside an annotation such as ``Row``, ``tuple[Row, ...]`` or ``Row | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_inner_model(part) for part in get_args(annotation) if part not in _NO_MODEL)


_NO_MODEL = (type(None), Ellipsis)
