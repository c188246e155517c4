"""Machines and energy tables by name, and from files of the user's own."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

import yaml

from accelerators.datapath_factors import DatapathFactors
from accelerators.dram_tables import DramTable
from accelerators.energy_tables import EnergyTable, SramTable
from accelerators.schema import Accelerator, Dram
from accelerators.technology_scaling import DEFAULT_V, Target, scaled_table
from accelerators.variation import Changes, varied_data
from quant.common.errors import UserError, suggestion
from quant.common.schemas import Schema, validate_data, validate_document
from quant.common.yaml_documents import Document, Location, read_document

SchemaT = TypeVar("SchemaT", bound=Schema)

_YAML_SUFFIXES = (".yaml", ".yml")


def accelerator_names() -> tuple[str, ...]:
    """The shipped machines."""
    return _names("accelerators")


def energy_table_names() -> tuple[str, ...]:
    """The shipped energy tables."""
    return _names("energy_tables")


def dram_table_names() -> tuple[str, ...]:
    """The shipped DRAM tables."""
    return _names("energy_tables/dram")


def load_accelerator(name_or_path: str | Path, changes: Changes | None = None) -> Accelerator:
    """A shipped machine by name, or any machine from a YAML file.

    Args:
        name_or_path: a name of `accelerator_names`, or a path that ends in ``.yaml`` or ``.yml``.
        changes: values that take the place of those in the file; the machine's name tells them
            (`accelerators.variation`).

    Raises:
        UserError: there is no such machine, its file breaks the schema, its energy table does
            not exist or is for another technology node, or its DRAM table does not exist.
    """
    document = _document("accelerators", "accelerator", name_or_path)
    if not changes:
        return _accelerator(document.data, document.path.parent, document.where)
    data = varied_data(document.data, changes)
    return _accelerator(data, document.path.parent, lambda _: f"accelerator '{data['name']}'")


def accelerator_yaml(accelerator: Accelerator, energy_table: str | None = None) -> str:
    """The text of a file that `load_accelerator` reads a machine from, wherever it lies.

    Args:
        accelerator: the machine, whatever it was varied or resized from.
        energy_table: name or path of the table it is priced with; None: its own.
    """
    data = accelerator.model_dump(exclude_none=True)
    data["energy_table"] = _from_anywhere(energy_table or accelerator.energy_table)
    if accelerator.dram.energy_table is not None:
        data["dram"]["energy_table"] = _from_anywhere(accelerator.dram.energy_table)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _accelerator(data: object, folder: Path, where: Callable[[Location], str]) -> Accelerator:
    """Check a machine; paths it refers to count from its folder."""
    accelerator = _with_nearby_file(validate_data(data, Accelerator, where), folder, "energy_table")
    try:
        energy_table_at(accelerator, load_energy_table(accelerator.energy_table))
    except UserError as error:
        raise UserError(f"{where(('energy_table',))}: energy_table: {error}") from error
    if accelerator.dram.energy_table is None:
        return accelerator
    try:
        dram = _with_dram_table(accelerator.dram, folder)
    except UserError as error:
        place = ("dram", "energy_table")
        raise UserError(f"{where(place)}: {'.'.join(place)}: {error}") from error
    return accelerator.model_copy(update={"dram": dram})


def _with_dram_table(dram: Dram, folder: Path) -> Dram:
    """The memory with the table's figures for what its own keys leave open."""
    name = dram.energy_table
    assert name is not None
    found = str(folder / name) if _is_path(name) else name
    table = load_dram_table(found)
    figures = ("energy_pj_per_bit", "activate_pj", "page_bytes", "standby_mw")
    opened = {key: getattr(table, key) for key in figures if getattr(dram, key) is None}
    return dram.model_copy(update={**opened, "energy_table": found})


def load_energy_table(name_or_path: str | Path) -> EnergyTable:
    """A shipped energy table by name, or any table from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there is no such table, its file breaks the schema, or its SRAM table does not
            exist or is for another technology node.
    """
    document = _document("energy_tables", "energy table", name_or_path)
    record = validate_document(document, EnergyTable)
    table = _with_nearby_file(record, document.path.parent, "sram_table")
    try:
        _require_same_node_sram(table, load_sram_table(table.sram_table))
    except UserError as error:
        raise UserError(f"{document.where(('sram_table',))}: sram_table: {error}") from error
    name = table.datapath_factors
    if name is None or not _is_path(name):
        return table
    return table.model_copy(update={"datapath_factors": str(document.path.parent / name)})


def load_sram_table(name_or_path: str | Path) -> SramTable:
    """A shipped SRAM table by name, or any table from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there is no such table or its file breaks the schema.
    """
    return _table("energy_tables/sram", "SRAM table", name_or_path, SramTable)


def load_dram_table(name_or_path: str | Path) -> DramTable:
    """A shipped DRAM table by name, or any table from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there is no such table or its file breaks the schema.
    """
    document = _document("energy_tables/dram", "DRAM table", name_or_path)
    return validate_document(document, DramTable)


def load_datapath_factors(name_or_path: str | Path) -> DatapathFactors:
    """Shipped datapath factors by name, or any from a YAML file; see `load_accelerator`.

    Raises:
        UserError: there are none of this name or their file breaks the schema.
    """
    return _table("energy_tables/datapaths", "datapath factors", name_or_path, DatapathFactors)


def energy_table_at(accelerator: Accelerator, table: EnergyTable) -> EnergyTable:
    """The table for the machine's node: as it is, or scaled where the machine asks for that.

    Raises:
        UserError: the nodes differ and the machine asks for no scaling, or the scaling does not
            cover the nodes or voltages.
    """
    same_node = table.technology_nm == accelerator.technology_nm
    if accelerator.energy_scaling == "none":
        if same_node:
            return table
        raise UserError(
            f"energy table '{table.name}' is for {table.technology_nm} nm, but accelerator "
            f"'{accelerator.name}' has technology_nm {accelerator.technology_nm}; choose a table "
            "of the same node, or add 'energy_scaling: stillmaker_baas' to have it scaled"
        )
    wanted_v = accelerator.supply_v
    if same_node and wanted_v in (None, table.supply_v or DEFAULT_V):
        return table
    return scaled_to(table, accelerator.technology_nm, wanted_v)


def scaled_to(table: EnergyTable, technology_nm: int, supply_v: float | None) -> EnergyTable:
    """A table at another node, with the SRAM table of its family that is nearest to that node.

    Raises:
        UserError: the scaling does not cover the nodes or voltages.
    """
    own = load_sram_table(table.sram_table)
    shipped = [own]
    if not _is_path(table.sram_table):
        shipped += [load_sram_table(name) for name in _names("energy_tables/sram")]
    nearest = min(
        (sram for sram in shipped if sram is own or (sram.family and sram.family == own.family)),
        key=lambda sram: abs(sram.technology_nm - technology_nm),
    )
    name = table.sram_table if nearest.name == own.name else nearest.name
    return scaled_table(table, Target(technology_nm, supply_v, name, nearest.technology_nm))


def energy_tables_for(accelerator: Accelerator) -> tuple[EnergyTable, ...]:
    """Every shipped table at the machine's node: one of each family, scaled where none is for it.

    Raises:
        UserError: the scaling does not cover the machine's node or voltage.
    """
    node = accelerator.technology_nm
    nearest: dict[str, EnergyTable] = {}
    for name in energy_table_names():
        table = load_energy_table(name)
        family = table.family or table.name
        known = nearest.get(family)
        if known is None or abs(table.technology_nm - node) < abs(known.technology_nm - node):
            nearest[family] = table
    return tuple(
        table if table.technology_nm == node else scaled_to(table, node, accelerator.supply_v)
        for table in nearest.values()
    )


def _require_same_node_sram(table: EnergyTable, sram: SramTable) -> None:
    if sram.technology_nm != table.technology_nm:
        raise UserError(
            f"SRAM table '{sram.name}' is for {sram.technology_nm} nm, but energy table "
            f"'{table.name}' has technology_nm {table.technology_nm}; choose a table of the same "
            "node"
        )


def _with_nearby_file(record: SchemaT, folder: Path, reference: str) -> SchemaT:
    """The record with a path it refers to counted from its own folder."""
    name = getattr(record, reference)
    if not _is_path(name):
        return record
    return record.model_copy(update={reference: str(folder / name)})


def _table(folder: str, what: str, name_or_path: str | Path, schema: type[SchemaT]) -> SchemaT:
    if isinstance(name_or_path, Path) or _is_path(name_or_path):
        return validate_document(_document(folder, what, name_or_path), schema)
    return cast(SchemaT, _shipped_table(folder, what, name_or_path, schema))


@lru_cache(maxsize=64)  # large, and asked for again by every price and area
def _shipped_table(folder: str, what: str, name: str, schema: type[Schema]) -> Schema:
    return validate_document(_document(folder, what, name), schema)


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


def _from_anywhere(name: str) -> str:
    """A name as it is; a path from the root."""
    return str(Path(name).resolve()) if _is_path(name) else name


def _is_path(name: str) -> bool:
    return name.endswith(_YAML_SUFFIXES) or "/" in name


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in (_configs() / folder).glob("*.yaml")))


def _configs() -> Path:
    """The folder of the shipped files: beside this module in a wheel, else in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"
