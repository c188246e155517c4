"""A bench as a folder that stands by itself, for people who run it with a simulator of theirs."""

from collections.abc import Sequence
from pathlib import Path

from hwsim.verify.rtl.bench import BENCH, Bench
from hwsim.verify.rtl.bench_text import MODULE, RESULTS
from hwsim.verify.rtl.design import numbered_ports
from hwsim.verify.rtl.tile_checks import TileCase

_README = """\
# Vectors for `{top}`

`{bench}` feeds {jobs} tiles of a network's layers to the module `{top}` and writes what leaves it
to `{results}`. Give your simulator this file and the module's sources, with the top module
`{module}`, and run it in this folder:

```
iverilog -g2012 -s {module} -o bench.vvp {bench} SOURCES && vvp -n bench.vvp
verilator --binary --timing -Wno-fatal --top-module {module} {bench} SOURCES && obj_dir/V{module}
```

At the end it says how many outputs are not as expected. With `+dump` it writes waves to
`bench.vcd`, where the simulator can. Which integer is wrong first, in which layer, and how it
should come about is told by the command that made this folder, with the results:

```
{command} --rtl-results {where}
```

## Ports

| in the bench | port |
|---|---|
{ports}
Inputs change while the clock is low, and an item is taken at a rising edge with valid and ready; a
valid output is recorded at each. Cycle 0 is the one in which {origin} is taken first.

## Tiles

| job | begins at | pixels × channels | products of a sum | bits | last cycle |
|---|---|---|---|---|---|
{tiles}
Bits are those of weights and of activations.

## Files

One hexadecimal word a line, jobs behind each other: `input_N_items.hex` and `setting_N_values.hex`
feed the ports, `output_N_expected.hex` is what should come out, and the ones of
`output_N_compared.hex` say which bits of it matter. `*_counts.hex` has the number of items of each
job, `limits.hex` the cycles after which it ends in any case.
"""


def bench_folder(
    bench: Bench, cases: Sequence[TileCase], command: str, folder: Path
) -> dict[str, str]:
    """The files of a folder, by name.

    Args:
        bench: of the tiles.
        cases: the tiles.
        command: the command line that made them.
        folder: where the files will be.
    """
    design = bench.design
    names = numbered_ports(design)[1]
    ports = "".join(f"| `{number}` | `{name}` |\n" for number, name in names.items())
    readme = _README.format(
        top=design.top,
        bench=BENCH,
        module=MODULE,
        results=RESULTS,
        jobs=bench.jobs,
        command=command,
        where=folder / RESULTS,
        ports=ports,
        origin=f"an item of `{design.counts_from}`" if design.counts_from else "any input's item",
        tiles="".join(_row(number, case) for number, case in enumerate(cases)),
    )
    return {**bench.files, "README.md": readme}


def _row(number: int, case: TileCase) -> str:
    work = case.tile.product.work
    cells = (
        str(number),
        case.tile.place(0, 0),
        f"{work.pixels} × {work.channels}",
        str(work.reduction),
        f"{work.weight_bits} × {work.activation_bits}",
        "" if case.cycles is None else str(case.cycles),
    )
    return f"| {' | '.join(cells)} |\n"
