"""The lists of docs/model-limits.md, from the code that leaves things out."""

from accelerators import energy_table_names, load_energy_table
from accelerators.area import AREA_NOT_MODELLED
from accelerators.energy import NOT_MODELLED, UNPRICED


def energy_list() -> str:
    """What no energy table covers."""
    return _list(NOT_MODELLED)


def unpriced_list() -> str:
    """What is left out where neither table nor machine has a figure."""
    return _list([*UNPRICED.values()])


def tables_list() -> str:
    """What each shipped energy table leaves out beside that."""
    return _list(
        f"`{name}`: {'; '.join(load_energy_table(name).not_modelled)}"
        for name in energy_table_names()
    )


def area_list() -> str:
    """What no area covers."""
    return _list(AREA_NOT_MODELLED)


def _list(items: object) -> str:
    assert hasattr(items, "__iter__")
    return "\n".join(f"- {item}" for item in items)


if __name__ == "__main__":
    for text in (energy_list(), unpriced_list(), tables_list(), area_list()):
        print(text, end="\n\n")
