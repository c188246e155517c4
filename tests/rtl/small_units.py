"""Statistics unit, normalizer, code table and term recoder, and what they should give."""

from dataclasses import dataclass

import numpy as np

from hwsim.arithmetic import reference
from hwsim.verify.rtl.words import Words
from hwsim.verify.stepped.digits import terms_of
from tests.rtl.units import Unit, Wide, items

LANES, ELEMENT_BITS, SUM_BITS, COUNT_BITS = 4, 17, 40, 24
CODES_BITS, WORD_BITS = 6, 21

REGISTERED = f"""
// What is combinational, with a register behind it.
module registered_recoder #(
  parameter WEIGHT_BITS = 8, parameter INDEX_BITS = 3, parameter EXPONENT_BITS = 3
) (
  input clock, input reset, input weight_valid,
  input [WEIGHT_BITS-1:0] weight, input [INDEX_BITS-1:0] index,
  output reg term_valid, output reg present, output reg negative,
  output reg [EXPONENT_BITS-1:0] exponent
);
  wire [EXPONENT_BITS+1:0] next_term;
  term_recoder #(.WEIGHT_BITS(WEIGHT_BITS)) recoder (
    .weight(weight), .index(index), .term(next_term)
  );
  always @(posedge clock) begin
    term_valid <= weight_valid & ~reset;
    {{present, negative, exponent}} <= next_term;
  end
endmodule
module registered_table (
  input clock, input reset,
  input write_valid, input [{CODES_BITS - 1}:0] write_code, input [{WORD_BITS - 1}:0] write_word,
  input code_valid, input [{CODES_BITS - 1}:0] code,
  output reg word_valid, output reg [{WORD_BITS - 1}:0] word
);
  wire [{WORD_BITS - 1}:0] next_word;
  code_table #(.CODE_BITS({CODES_BITS}), .WORD_BITS({WORD_BITS})) codes (
    .clock(clock), .write_valid(write_valid), .write_code(write_code), .write_word(write_word),
    .code(code), .word(next_word)
  );
  always @(posedge clock) begin
    word_valid <= code_valid & ~reset;
    word <= next_word;
  end
endmodule
"""

STATISTICS = Unit(
    "statistics",
    "statistics_unit",
    "group_valid",
    {
        "begins": (1, 1),
        "ends": (1, 1),
        "has_element": (LANES, 1),
        "elements": (LANES, ELEMENT_BITS),
        "resumes": (1, 1),
        "earlier_sums": (LANES, SUM_BITS),
        "earlier_minima": (LANES, ELEMENT_BITS),
        "earlier_maxima": (LANES, ELEMENT_BITS),
        "earlier_counts": (LANES, COUNT_BITS),
    },
    "summary_valid",
    {
        "sums": (LANES, SUM_BITS),
        "minima": (LANES, ELEMENT_BITS),
        "maxima": (LANES, ELEMENT_BITS),
        "counts": (LANES, COUNT_BITS),
    },
    parameters={"LANES": LANES},
)
NORMALIZER = Unit(
    "normalizer",
    "normalizer",
    "summary_valid",
    {
        "is_centred": (1, 1),
        "sum": (1, SUM_BITS),
        "minimum": (1, ELEMENT_BITS),
        "maximum": (1, ELEMENT_BITS),
        "pixels": (1, COUNT_BITS),
    },
    "factors_valid",
    {"mean": (1, 24), "reach": (1, 24), "reciprocal": (1, 24)},
    ready="summary_ready",
)
TABLE = Unit(
    "code_table",
    "registered_table",
    "code_valid",
    {"code": (1, CODES_BITS)},
    "word_valid",
    {"word": (1, WORD_BITS)},
    others=("write_valid", {"write_code": (1, CODES_BITS), "write_word": (1, WORD_BITS)}),
)


def recoder(bits: int) -> Unit:
    """A term recoder for weights of a width."""
    index_bits, exponent_bits = ((bits + 1) // 2).bit_length(), max((bits - 1).bit_length(), 1)
    return Unit(
        f"recoder_{bits}",
        "registered_recoder",
        "weight_valid",
        {"weight": (1, bits), "index": (1, index_bits)},
        "term_valid",
        {"exponent": (1, exponent_bits), "negative": (1, 1), "present": (1, 1)},
        parameters={
            "WEIGHT_BITS": bits,
            "INDEX_BITS": index_bits,
            "EXPONENT_BITS": exponent_bits,
        },
    )


RECODERS = {bits: recoder(bits) for bits in (2, 4, 5, 8, 16)}
SMALL_UNITS = (STATISTICS, NORMALIZER, TABLE, *RECODERS.values())


def statistics_words(images: list[Wide], earlier: list[Wide | None]) -> Words:
    """Groups of images whose pixels have `LANES` channels, one summary each.

    Args:
        images: [1, pixels, LANES].
        earlier: the summary [1, 1, 3 LANES + 1] each goes on from, or None.
    """
    parts = []
    for image, before in zip(images, earlier, strict=True):
        pixels = image.reshape(-1, LANES)
        summary = np.zeros(3 * LANES + 1, np.int64) if before is None else before.reshape(-1)
        place = np.arange(len(pixels))
        columns = {
            "begins": place == 0,
            "ends": place == len(pixels) - 1,
            "has_element": np.ones_like(pixels),
            "elements": pixels,
            "resumes": np.full(len(pixels), before is not None),
        }
        for row, name in enumerate(("sums", "minima", "maxima")):
            of_lanes = summary[row * LANES : (row + 1) * LANES]
            columns[f"earlier_{name}"] = np.broadcast_to(of_lanes, pixels.shape)
        columns["earlier_counts"] = np.full_like(pixels, summary[-1])
        parts.append(items(STATISTICS.inputs, columns))
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Summaries:
    """Summaries [1, 1, 4] of one channel each, and whether each is centred."""

    summaries: Wide
    centred: Wide

    @property
    def words(self) -> Words:
        """Items of the normalizer's stream."""
        columns = dict(zip(("sum", "minimum", "maximum", "pixels"), self.summaries.T, strict=True))
        return items(NORMALIZER.inputs, {"is_centred": self.centred, **columns})

    @property
    def wanted(self) -> Wide:
        """Mean, reach and reciprocal, [channels, 3]."""
        found = [
            reference.normalization(summary.reshape(1, 1, -1), bool(centred)).reshape(-1)
            for summary, centred in zip(self.summaries, self.centred, strict=True)
        ]
        return np.array(found)


def random_summaries(random: np.random.Generator, count: int) -> Summaries:
    """Channels of codes of up to 16 bits, up to 2^23 pixels; some means are halves."""
    reach = 2 ** random.integers(0, 17, count)
    least = np.where(random.integers(2, size=count) == 0, 0, -(reach // 2))
    minimum = least + random.integers(0, reach)
    maximum = np.minimum(minimum + random.integers(0, reach), least + reach - 1)
    pixels = random.integers(1, 2 ** random.integers(1, 24, count))
    sums = random.integers(minimum * pixels, maximum * pixels + 1)
    halves = minimum * pixels + pixels // 2
    is_half = (np.arange(count) % 4 == 0) & (maximum > minimum) & (pixels % 2 == 0)
    sums = np.where(is_half, halves, sums)
    return Summaries(
        np.stack([sums, minimum, maximum, pixels], axis=1), random.integers(2, size=count)
    )


def term_cases(bits: int, random: np.random.Generator) -> tuple[Words, Wide]:
    """Every weight and index of a width (2000 of them if there are more); terms as `terms_of`."""
    terms = (bits + 1) // 2
    weights = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    if len(weights) > 500:
        weights = np.concatenate([weights[:5], weights[-5:], random.choice(weights, 490)])
    values = terms_of(weights, terms).values
    behind = np.zeros((1, len(weights)), np.int64)
    wanted = np.concatenate([values, behind]).reshape(-1)
    index = np.repeat(np.arange(terms + 1), len(weights))
    columns = {"weight": np.tile(weights, terms + 1), "index": index}
    return items(RECODERS[bits].inputs, columns), wanted
