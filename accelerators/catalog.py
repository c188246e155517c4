"""Machines and energy tables by name, and from files of the user's own."""

from pathlib import Path
from typing import TypeVar

from accelerators.energy_tables import EnergyTable, SramTable
from accelerators.schema import Accelerator
from quant.common.errors import UserError, suggestion
from quant.common.schemas import Schema, validate_document
from quant.common.yaml_documents import Document, read_document

SchemaT = TypeVar("SchemaT", bound=Schema)

_YAML_SUFFIXES = (".yaml", ".yml")


def accelerator_names() -> tuple[str, ...]:
    """The shipped machines."""
    return _names("accelerators")


def energy_table_names() -> tuple[str, ...]:
    """The shipped energy tables."""
    return _names("energy_tables")


def load_accelerator(name_or_path: str | Path) -> Accelerator:
    """A shipped machine by name, or any machine from a YAML file.

    Args:
        name_or_path: a name of `accelerator_names`, or a path that ends in ``.yaml`` or ``.yml``.

    Raises:
        UserError: there is no such machine, its file breaks the schema, or its energy table does
            not exist or is for another technology node.
    """
    document = _document("accelerators", "accelerator", name_or_path)
    accelerator = _with_nearby_file(document, Accelerator, "energy_table")
    try:
        require_same_node(accelerator, load_energy_table(accelerator.energy_table))
    except UserError as error:
        raise UserError(f"{document.where(('energy_table',))}: energy_table: {error}") from error
    return accelerator


def load_energy_table(name_or_path: str | Path) -> EnergyTable:
    """A shipped energy table by name, or any table from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there is no such table, its file breaks the schema, or its SRAM table does not
            exist or is for another technology node.
    """
    document = _document("energy_tables", "energy table", name_or_path)
    table = _with_nearby_file(document, EnergyTable, "sram_table")
    try:
        _require_same_node_sram(table, load_sram_table(table.sram_table))
    except UserError as error:
        raise UserError(f"{document.where(('sram_table',))}: sram_table: {error}") from error
    return table


def load_sram_table(name_or_path: str | Path) -> SramTable:
    """A shipped SRAM table by name, or any table from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there is no such table or its file breaks the schema.
    """
    document = _document("energy_tables/sram", "SRAM table", name_or_path)
    return validate_document(document, SramTable)


def require_same_node(accelerator: Accelerator, table: EnergyTable) -> None:
    """Refuse to price one technology's machine with another's energies.

    Raises:
        UserError: the nodes differ.
    """
    if table.technology_nm != accelerator.technology_nm:
        raise UserError(
            f"energy table '{table.name}' is for {table.technology_nm} nm, but accelerator "
            f"'{accelerator.name}' has technology_nm {accelerator.technology_nm}; choose a table "
            "of the same node"
        )


def _require_same_node_sram(table: EnergyTable, sram: SramTable) -> None:
    if sram.technology_nm != table.technology_nm:
        raise UserError(
            f"SRAM table '{sram.name}' is for {sram.technology_nm} nm, but energy table "
            f"'{table.name}' has technology_nm {table.technology_nm}; choose a table of the same "
            "node"
        )


def _with_nearby_file(document: Document, model: type[SchemaT], reference: str) -> SchemaT:
    """Check a document; a path it refers to counts from its own folder."""
    record = validate_document(document, model)
    name = getattr(record, reference)
    if not _is_path(name):
        return record
    return record.model_copy(update={reference: str(document.path.parent / name)})


def _document(folder: str, what: str, name_or_path: str | Path) -> Document:
    if isinstance(name_or_path, Path) or _is_path(name_or_path):
        return read_document(Path(name_or_path), what)
    names = _names(folder)
    if name_or_path not in names:
        raise UserError(
            f"{what} '{name_or_path}': no such name, {suggestion(name_or_path, names)} "
            "(the path of a .yaml file works too)"
        )
    return read_document(_configs() / folder / f"{name_or_path}.yaml", what)


def _is_path(name: str) -> bool:
    return name.endswith(_YAML_SUFFIXES) or "/" in name


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in (_configs() / folder).glob("*.yaml")))


def _configs() -> Path:
    """The folder of the shipped files: beside this module in a wheel, else in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"
