"""What a page is made of: text, cards, facts, tables, figures and strips, as data.

Blocks hold plain text. The templates escape it; nothing here is markup. Text inside a figure is the
exception, see `plot_text`.
"""

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    words: str


@dataclass(frozen=True, slots=True)
class Card:
    """A figure to be seen first: what it is, the figure, and a note below it."""

    name: str
    figure: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cards:
    """Figures side by side."""

    kind: ClassVar = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they stand for.

    Attributes:
        facts: from a name to its value.
        fixed_width: whether values are hashes, commands and the like.
    """

    kind: ClassVar = "facts"
    facts: Mapping[str, str]
    fixed_width: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """Text in full, folded away under a title until it is wanted; unfolded on paper.

    Attributes:
        title: what it is.
        lines: the text.
    """

    kind: ClassVar = "folded"
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: the figure or the words.
        value: the figure itself, for programs; None for words.
        below: smaller, on a line of its own.
    """

    text: str
    value: float | None = None
    below: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: as many as the table has columns; the first one names the row.
        marked: whether it stands out.
    """

    cells: tuple[Cell, ...]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows.
        columns: the names of the columns, units included.
        rows: its rows.
        folded: whether it stays out of sight until it is wanted; on paper it does not.
    """

    kind: ClassVar = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several drawings in the same place.

    Attributes:
        label: what it is chosen by.
        data: traces of plotly.js.
        layout: layout of plotly.js without colours of text, grid and paper: they follow the theme.
            A colour ``var(--name)`` is that of the style sheet.
    """

    label: str
    data: tuple[Json, ...]
    layout: Json


@dataclass(frozen=True, slots=True)
class Figure:
    """An interactive chart.

    Points of a trace with ``customdata`` select the item of that name in every `Choice`.

    Attributes:
        name: unique on the page; letters and hyphens.
        words: what is to be seen, for those who cannot, and as its caption.
        height: in CSS pixels.
        choose: what alternatives differ in; unused with a single one.
        alternatives: the drawings, of which the first is shown at first.
    """

    kind: ClassVar = "figure"
    name: str
    words: str
    height: int
    alternatives: tuple[Alternative, ...]
    choose: str = ""


@dataclass(frozen=True, slots=True)
class Swatch:
    """A cell of a strip: text on a colour, both of CSS."""

    text: str
    colour: str
    ink: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows of coloured cells, a column for each name.

    Attributes:
        heading: what the columns are.
        columns: their names.
        rows: from the name of a row to its cells, as many as columns.
    """

    heading: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Swatch, ...]]


@dataclass(frozen=True, slots=True)
class Strips:
    """Strips below one another, for long ones are cut.

    Attributes:
        words: what they show.
        strips: of the same rows.
    """

    kind: ClassVar = "strips"
    words: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things to choose from.

    Attributes:
        name: what figures call it, see `Figure`.
        label: what people call it.
        words: more of it.
        strips: shown below one another, for long ones are cut.
    """

    name: str
    label: str
    words: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Things of which one is shown, the first one at first.

    Attributes:
        name: unique on the page; letters and hyphens.
        choose: what is chosen.
        items: what there is.
    """

    kind: ClassVar = "choice"
    name: str
    choose: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside the page.

    Attributes:
        title: what it is.
        png: content of a PNG file.
        note: a figure about it, such as its PSNR.
    """

    title: str
    png: bytes = field(repr=False)
    note: str = ""

    @property
    def address(self) -> str:
        """The picture as an address that holds it."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True, slots=True)
class View:
    """Pictures of one size, to be laid over one another.

    Attributes:
        label: which part of the whole pictures they show, and in which size.
        width: in pixels.
        height: in pixels.
        pictures: one or more.
    """

    label: str
    width: int
    height: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Two of several pictures over one another, with a line to move between them, and a zoom.

    On paper, and without scripts, all of them side by side.

    Attributes:
        name: unique on the page; letters and hyphens.
        words: what they are.
        views: one or more, each with the same pictures in the same order.
        left: place of the picture that is seen first to the left of the line.
        right: the same to the right.
    """

    kind: ClassVar = "pictures"
    name: str
    words: str
    views: tuple[View, ...]
    left: int = 0
    right: int = 0


Block = Text | Cards | Facts | Folded | Table | Figure | Choice | Strips | Pictures


def plot_text(text: str) -> str:
    """Text as plotly.js takes it, which reads tags and entities in every text it draws."""
    return html.escape(text, quote=False)
