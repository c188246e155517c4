"""The table of machines of docs/area-model.md, computed from the code."""

from accelerators import accelerator_names, area_of, load_accelerator, load_energy_table

_NONE = "–"
COMPONENTS = ("mac_array", "array_registers", "requantizer", "vector_unit", "sram", "accumulators")


def machine_table() -> str:
    """Square millimetres of every shipped machine, by component, and its logic."""
    head = ["machine", "mm²", "logic, kGE", *(f"`{name}`" for name in COMPONENTS)]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in accelerator_names():
        machine = load_accelerator(name)
        area = area_of(machine, load_energy_table(machine.energy_table))
        assert area.area_mm2 is not None
        assert area.gate_equivalents is not None
        parts = [area.by_component_mm2.get(component) for component in COMPONENTS]
        cells = [_NONE if part is None else f"{part:,.3f}" for part in parts]
        figures = [f"{area.area_mm2:,.2f}", f"{area.gate_equivalents / 1000:,.0f}", *cells]
        rows.append(f"| `{name}` | {' | '.join(figures)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(machine_table())
