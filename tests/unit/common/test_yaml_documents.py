"""YAML files: values with their lines, and a sentence for everything that can be wrong with one."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quant.common.errors import UserError
from quant.common.yaml_documents import read_document


def write(folder: Path, text: str) -> Path:
    path = folder / "machine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def message(folder: Path, text: str) -> str:
    """What the user is told about a file, without the folder."""
    with pytest.raises(UserError) as caught:
        read_document(write(folder, text), "accelerator")
    return str(caught.value).replace(f"{folder}/", "")


def test_values_and_their_lines(tmp_path: Path) -> None:
    text = "# comment\nname: a\n\nsram:\n  banks: 4\n  sizes: [1,\n    2.5]\nflag: true\nnone:\n"
    document = read_document(write(tmp_path, text))
    assert document.data == {
        "name": "a",
        "sram": {"banks": 4, "sizes": [1, 2.5]},
        "flag": True,
        "none": None,
    }
    assert document.lines == {
        (): 2,
        ("name",): 2,
        ("sram",): 4,
        ("sram", "banks"): 5,
        ("sram", "sizes"): 6,
        ("sram", "sizes", 0): 6,
        ("sram", "sizes", 1): 7,
        ("flag",): 8,
        ("none",): 9,
    }


def test_a_place_that_is_not_in_the_file_is_that_of_what_encloses_it(tmp_path: Path) -> None:
    path = write(tmp_path, "sram:\n  banks: 4\n")
    document = read_document(path)
    assert document.where(("sram", "size_kib")) == f"{path}:1"
    assert document.where(("dram", "kind")) == f"{path}:1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "machine.yaml:1: this accelerator file is empty; expected 'key: value' lines"),
        ("# a\n", "machine.yaml:1: this accelerator file is empty; expected 'key: value' lines"),
        (
            "\n- 1\n",
            "machine.yaml:2: expected 'key: value' lines at the top of this accelerator file, got "
            "a list; write it as a mapping",
        ),
        (
            "edge_npu",
            "machine.yaml:1: expected 'key: value' lines at the top of this accelerator file, got "
            "a single value; write it as a mapping",
        ),
        (
            "a: 1\nb: 2\na: 3\n",
            "machine.yaml:3: 'a' is given twice (first on line 1); keep one",
        ),
        (
            "s:\n  a: 1\n  a: 1\n",
            "machine.yaml:3: 'a' is given twice (first on line 2); keep one",
        ),
        (
            "a: [1, 2\n",
            "machine.yaml:2: not valid YAML (expected ',' or ']', but the file ends); check the "
            "indentation and punctuation here",
        ),
        (
            'a: "b\n',
            "machine.yaml:2: not valid YAML (found unexpected end of stream); check the "
            "indentation and punctuation here",
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            "machine.yaml:3: not valid YAML (expected the end of this block, but found a key); "
            "check the indentation and punctuation here",
        ),
        (
            "a:\n\tb: 1\n",
            "machine.yaml:2: a tab indents this line; YAML allows only spaces, replace it",
        ),
        (
            "a: &x 1\nb: *x\n",
            "machine.yaml:2: aliases (*name) are not supported here; write the value out",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "machine.yaml:2: a second document starts here; put it in a file of its own",
        ),
        (
            "a: !!python/object/apply:os.abort []\n",
            "machine.yaml:1: the tag 'python/object/apply:os.abort' is not supported here; remove "
            "it",
        ),
        ("a: !!set {b}\n", "machine.yaml:1: the tag 'set' is not supported here; remove it"),
        (
            "a: !!python/name:os.abort\n",
            "machine.yaml:1: expected text or a number, got '' as python/name:os.abort; put it in "
            "quotes, without a tag",
        ),
        (
            "a: 2024-01-01\n",
            "machine.yaml:1: expected text or a number, got '2024-01-01' as timestamp; put it in "
            "quotes, without a tag",
        ),
        ("a: !!int b\n", "machine.yaml:1: cannot read 'b' as a number; put it in quotes"),
        (
            "a: " + "9" * 10_000,
            f"machine.yaml:1: cannot read '{'9' * 60}' as a number; put it in quotes",
        ),
        ("a: 010\n", "machine.yaml:1: YAML reads 010 as 8; write the number you mean in decimal"),
        (
            "a: 1:30\n",
            "machine.yaml:1: YAML reads 1:30 as 90; write the number you mean in decimal",
        ),
        ("on: 1\n", "machine.yaml:1: expected text as a key, got 'on'; put the key in quotes"),
        ("[1]: 1\n", "machine.yaml:1: expected text as a key, got a list; put the key in quotes"),
        ("a: 1\nb: \x00\n", "machine.yaml:2: a control character ('\\x00') stands here; remove it"),
        (
            "a: " + "[" * 5000,
            "machine.yaml: this accelerator file is nested too deeply; flatten it",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, expected: str) -> None:
    assert message(tmp_path, text) == expected


def test_an_alias_bomb_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert message(tmp_path, "\n".join(levels)).startswith("machine.yaml:2: aliases")


def test_quoted_text_is_text_whatever_it_looks_like(tmp_path: Path) -> None:
    document = read_document(write(tmp_path, "a: '010'\nb: \"2024-01-01\"\n'on': '1:30'\n"))
    assert document.data == {"a": "010", "b": "2024-01-01", "on": "1:30"}


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    assert read_document(write(tmp_path, "\ufeffa: 1\n")).data == {"a": 1}


def test_a_folder_a_missing_file_and_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read this accelerator file: Is a directory; "):
        read_document(tmp_path, "accelerator")
    with pytest.raises(UserError, match=r"gone\.yaml: no such accelerator file; check the path$"):
        read_document(tmp_path / "gone.yaml", "accelerator")
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(UserError, match=r"binary\.yaml:2: not UTF-8 text; save this YAML file as"):
        read_document(path)
    path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(
        UserError, match=r"expected a YAML file of at most 1048576 bytes, got 10485"
    ):
        read_document(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet="ab:- \n[]{}\"'&*!|>%@`0.#?,\t\u00e9\x85", max_size=40))
def test_no_text_ends_in_anything_but_a_document_or_a_sentence(tmp_path: Path, text: str) -> None:
    with contextlib.suppress(UserError):
        document = read_document(write(tmp_path, text))
        assert all(line >= 1 for line in document.lines.values())
