"""What is wrong with a description of ports is told with its line."""

from pathlib import Path

import pytest

from hwsim.verify.rtl.port_file import PortFile, read_port_file
from quant.common.errors import UserError
from tests.rtl.designs import SMALL_ARRAY_PORTS

RIGHT = """\
clock: clk
parameters: {ROWS: 4, KIND: multiply}
settings:
  - {name: length, bits: 16, of: reduction}
  - {name: scale, bits: 32, of: multiplier, elements: 4}
inputs:
  - name: a
    fields: [{of: activations, bits: 8}]
    order: [channels/4, pixels/4, reduction]
    item: [pixels]
  - name: w
    fields: [{of: weights, bits: 8}]
    order: [channels/4, pixels/4, reduction]
    item: [channels]
outputs:
  - name: y
    bits: 8
    order: [channels/4, pixels]
    item: [channels]
    lanes: true
"""


def read(text: str, folder: Path) -> PortFile:
    path = folder / "ports.yaml"
    path.write_text(text)
    return read_port_file(path)


def test_a_right_one(tmp_path: Path) -> None:
    ports = read(RIGHT, tmp_path)
    assert (ports.clock, ports.reset, ports.cycles) == ("clk", "reset", "ignored")
    assert [port.nest.item_elements for port in ports.inputs] == [4, 4]
    assert [field.is_signed for port in ports.inputs for field in port.fields] == [False, True]


def test_the_one_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rtl" / "your_own.md").read_text()
    assert f"```yaml\n{SMALL_ARRAY_PORTS}```" in page


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bits: 16, of: reduction", "bits: 16", r":4: settings\[0\]: expected either 'value' or"),
        (
            "of: reduction",
            "of: rows",
            r":4: settings\[0\]\.of: expected an axis \(pixels, .*'rows'",
        ),
        (
            "of: reduction",
            "of: pixels/4, elements: 2",
            r":4: settings\[0\]\.elements: only fields of scales have elements; leave it out",
        ),
        ("KIND: multiply", "KIND: 1.5", r":2: parameters\.KIND: expected a whole number or text"),
        (
            "[channels/4, pixels]",
            "[channels/4, rows]",
            r":18: outputs\[0\]\.order: expected a loop",
        ),
        ("[channels/4, pixels]", "[channels/4]", "codes have pixels, which no loop goes over; add"),
        ("    item: [pixels]\n", "", r":9: inputs\[0\]\.order: activations have pixels, which no"),
        (
            "order: [channels/4, pixels/4, reduction]\n    item: [pixels]",
            "order: [reduction]\n    item: [pixels]",
            r":9: inputs\[0\]\.order: how many pixels an item has depends on the layer",
        ),
        ("of: weights", "of: codes", r":12: inputs\[1\]\.fields\[0\]\.of: expected 'activations'"),
        ("clock: clk", "clok: clk", r":1: clok: unknown key; did you mean 'clock'"),
        (
            "    item: [channels]\n    lanes: true",
            "    lanes: true",
            r"outputs\[0\]\.order: codes have channels",
        ),
        (
            "[channels/4, pixels]\n    item: [channels]",
            "[channels, pixels]",
            r"outputs\[0\]\.lanes: an item of one element has no lanes; leave it out",
        ),
        (
            "fields: [{of: weights, bits: 8}]",
            "fields: [{of: weights, bits: 8}, {of: bias, bits: 32}]\n    lanes: true",
            r"inputs\[1\]\.lanes: an item of several fields cannot be cut into lanes",
        ),
    ],
)
def test_wrong_ones(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in RIGHT
    with pytest.raises(UserError, match=message):
        read(RIGHT.replace(old, new), tmp_path)
