"""Schemas: every problem of a file at once, in words, with its line."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, ValidationError, model_validator

from quant.common.errors import UserError
from quant.common.schemas import Contradictions, Schema, validate, validate_data


class Wheel(Schema):
    size_mm: Annotated[int, Field(ge=1, le=900)]
    spokes: Annotated[int, Field(multiple_of=4)] = 4


class Cart(Schema):
    name: Annotated[str, Field(min_length=1, max_length=5)]
    load_kg: Annotated[float, Field(gt=0, lt=100)]
    kind: Literal["hand", "horse"] = "hand"
    folding: bool = False
    wheels: Annotated[tuple[Wheel, ...], Field(min_length=1, max_length=2, strict=False)]
    spare: Wheel | None = None

    @model_validator(mode="after")
    def _wheels_match(self) -> Self:
        if any(wheel.size_mm != self.wheels[0].size_mm for wheel in self.wheels):
            raise Contradictions(
                [(("wheels", 1, "size_mm"), "wheels differ"), (("kind",), "no such cart")]
            )
        if self.name == "plain":
            raise ValueError("a plain sentence")
        return self


GOOD = "name: a\nload_kg: 5\nwheels:\n  - size_mm: 300\n"


def message(folder: Path, text: str) -> str:
    path = folder / "cart.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        validate(path, Cart, "cart")
    return str(caught.value).replace(f"{folder}/", "")


def test_a_good_file_becomes_a_frozen_record(tmp_path: Path) -> None:
    path = tmp_path / "cart.yaml"
    path.write_text(GOOD + "spare: {size_mm: 10}\n")
    cart = validate(path, Cart)
    assert cart == Cart(
        name="a", load_kg=5.0, wheels=(Wheel(size_mm=300),), spare=Wheel(size_mm=10)
    )
    with pytest.raises(ValidationError):
        cart.name = "b"


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("name: a", "name: 7", "cart.yaml:1: name: expected text, got 7"),
        ("name: a", "name:", "cart.yaml:1: name: expected text, got nothing"),
        (
            "name: a",
            "name: ''",
            "cart.yaml:1: name: expected at least 1 character, got the text ''",
        ),
        (
            "name: a",
            "name: too long",
            "cart.yaml:1: name: expected at most 5 characters, got the text 'too long'",
        ),
        (
            "load_kg: 5",
            "load_kg: '5'",
            "cart.yaml:2: load_kg: expected a number, got the text '5'; write the number without "
            "quotes",
        ),
        (
            "load_kg: 5",
            "load_kg: heavy",
            "cart.yaml:2: load_kg: expected a number, got the text 'heavy'",
        ),
        ("load_kg: 5", "load_kg: .nan", "cart.yaml:2: load_kg: expected a finite number, got nan"),
        ("load_kg: 5", "load_kg: .inf", "cart.yaml:2: load_kg: expected a finite number, got inf"),
        ("load_kg: 5", "load_kg: 0", "cart.yaml:2: load_kg: expected more than 0.0, got 0"),
        ("load_kg: 5", "load_kg: 100", "cart.yaml:2: load_kg: expected less than 100.0, got 100"),
        (
            "size_mm: 300",
            "size_mm: 3.5",
            "cart.yaml:4: wheels[0].size_mm: expected a whole number, got 3.5",
        ),
        (
            "size_mm: 300",
            "size_mm: true",
            "cart.yaml:4: wheels[0].size_mm: expected a whole number, got true",
        ),
        (
            "size_mm: 300",
            "size_mm: [1]",
            "cart.yaml:4: wheels[0].size_mm: expected a whole number, got a list of 1 entries",
        ),
        (
            "size_mm: 300",
            "size_mm: {}",
            "cart.yaml:4: wheels[0].size_mm: expected a whole number, got 'key: value' lines",
        ),
        (
            "size_mm: 300",
            "size_mm: 901",
            "cart.yaml:4: wheels[0].size_mm: expected at most 900, got 901",
        ),
        (
            "size_mm: 300",
            "size_mm: 3\n    spokes: 6",
            "cart.yaml:5: wheels[0].spokes: expected a multiple of 4, got 6",
        ),
        (
            "size_mm: 300",
            "size_mm: 3\n    spoke: 6",
            "cart.yaml:5: wheels[0].spoke: unknown key; did you mean 'spokes'?",
        ),
        (
            "size_mm: 300",
            "spokes: 4",
            "cart.yaml:4: wheels[0].size_mm: missing; add 'size_mm: …'",
        ),
        (
            "load_kg: 5",
            "load_kg: 5\nkind: cow",
            "cart.yaml:3: kind: expected 'hand' or 'horse', got the text 'cow'",
        ),
        (
            "load_kg: 5",
            "load_kg: 5\nfolding: 1",
            "cart.yaml:3: folding: expected true or false, got 1",
        ),
        (
            "load_kg: 5",
            "load_kg: 5\nspare: 1",
            "cart.yaml:3: spare: expected 'key: value' lines, got 1",
        ),
        (
            "load_kg: 5",
            "load_kg: 5\nspare: {colour: red, size_mm: 3}",
            "cart.yaml:3: spare.colour: unknown key; known: size_mm, spokes",
        ),
        ("name: a", "name: plain", "cart.yaml:1: a plain sentence"),
        (
            "  - size_mm: 300",
            "  - size_mm: 300\n  - size_mm: 200",
            "cart.yaml:5: wheels[1].size_mm: wheels differ\ncart.yaml:1: kind: no such cart",
        ),
        (
            "\n  - size_mm: 300",
            " []",
            "cart.yaml:3: wheels: expected a list of at least 1, got a list of 0 entries",
        ),
        (
            "  - size_mm: 300",
            "  - size_mm: 3\n  - size_mm: 3\n  - size_mm: 3",
            "cart.yaml:3: wheels: expected a list of at most 2, got a list of 3 entries",
        ),
        ("\n  - size_mm: 300", " 3", "cart.yaml:3: wheels: expected a list, got 3"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, good: str, bad: str, expected: str
) -> None:
    assert good in GOOD
    assert message(tmp_path, GOOD.replace(good, bad)) == expected


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "nam: a\nload_kg: -1\nwheels:\n  - size_mm: x\n  - size: 3\n"
    assert message(tmp_path, text).splitlines() == [
        "cart.yaml:1: name: missing; add 'name: …'",
        "cart.yaml:2: load_kg: expected more than 0.0, got -1",
        "cart.yaml:4: wheels[0].size_mm: expected a whole number, got the text 'x'",
        "cart.yaml:5: wheels[1].size_mm: missing; add 'size_mm: …'",
        "cart.yaml:5: wheels[1].size: unknown key; did you mean 'size_mm'?",
        "cart.yaml:1: nam: unknown key; did you mean 'name'?",
    ]


def test_values_without_a_file_are_told_by_their_owner() -> None:
    with pytest.raises(UserError, match=r"^the spare wheel: size_mm: expected at least 1, got 0$"):
        validate_data({"size_mm": 0}, Wheel, lambda _: "the spare wheel")
