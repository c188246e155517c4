"""The ports of a design as numbers: a wrapper in Verilog, and C++ that copies what it has.

Numbers instead of names: no port can then be a word of C++ or of the bench.
"""

from hwsim.verify.rtl.design import Design, Stream, instance, numbered_ports, vector
from hwsim.verify.rtl.words import word_count

WRAPPER = "hwsim_bench"
"""The wrapper's name."""
MODEL = "Model"
"""The class that Verilator makes of it."""

_PROLOGUE = """\
#include "Model.h"

template <typename Port>
inline void store(Port& port, const uint32_t* words) { port = words[0]; }
inline void store(QData& port, const uint32_t* words) { port = (QData)words[1] << 32 | words[0]; }
template <std::size_t Words>
inline void store(VlWide<Words>& port, const uint32_t* words) {
    for (std::size_t i = 0; i < Words; i++) port[i] = words[i];
}
template <typename Port>
inline void load(const Port& port, uint32_t* words) { words[0] = port; }
inline void load(const QData& port, uint32_t* words) {
    words[0] = (uint32_t)port;
    words[1] = (uint32_t)(port >> 32);
}
template <std::size_t Words>
inline void load(const VlWide<Words>& port, uint32_t* words) {
    for (std::size_t i = 0; i < Words; i++) words[i] = port[i];
}
"""


def wrapper(design: Design) -> str:
    """A module with numbered ports around a design with its parameters."""
    ports = ["input clock", "input reset"]
    for i, setting in enumerate(design.settings):
        ports.append(f"input {vector(setting.bits)} setting_{i}")
    for i, (_, stream) in enumerate(design.input_lanes):
        ports += [f"input {vector(stream.bits)} input_{i}", f"input input_{i}_valid"]
        ports += [f"output input_{i}_ready"] if stream.has_ready else []
    for i, (_, stream) in enumerate(design.output_lanes):
        ports += [f"output {vector(stream.bits)} output_{i}", f"output output_{i}_valid"]
    body = instance(design, "simulated", numbered_ports(design)[0])
    return f"module {WRAPPER} (\n  " + ",\n  ".join(ports) + f"\n);\n{body}endmodule\n"


def ports_header(design: Design) -> str:
    """C++ that copies a design's numbered ports."""
    inputs = [stream for _, stream in design.input_lanes]
    outputs = [stream for _, stream in design.output_lanes]
    setting_words = sum(word_count(setting.bits) for setting in design.settings)
    return "\n".join(
        [
            _PROLOGUE,
            f"constexpr int ALL_SETTING_WORDS = {setting_words};",
            _sizes("SETTING", [setting.bits for setting in design.settings]),
            _sizes("INPUT", [stream.bits for stream in inputs]),
            _sizes("OUTPUT", [stream.bits for stream in outputs]),
            _switch(
                "void set_setting(Model& model, int place, const uint32_t* words)",
                [f"store(model.setting_{i}, words);" for i in range(len(design.settings))],
            ),
            _switch(
                "void set_input(Model& model, int place, const uint32_t* words)",
                [f"store(model.input_{i}, words);" for i in range(len(inputs))],
            ),
            _switch(
                "void set_input_valid(Model& model, int place, bool valid)",
                [f"model.input_{i}_valid = valid;" for i in range(len(inputs))],
            ),
            _switch("bool input_ready(Model& model, int place)", _readies(inputs), "return true;"),
            _switch(
                "bool output_valid(Model& model, int place)",
                [f"return model.output_{i}_valid;" for i in range(len(outputs))],
                "return false;",
            ),
            _switch(
                "void get_output(Model& model, int place, uint32_t* words)",
                [f"load(model.output_{i}, words);" for i in range(len(outputs))],
            ),
        ]
    )


def _readies(inputs: list[Stream]) -> list[str]:
    return [
        f"return model.input_{i}_ready;" if stream.has_ready else "return true;"
        for i, stream in enumerate(inputs)
    ]


def _sizes(what: str, bits: list[int]) -> str:
    words = ", ".join(str(word_count(width)) for width in [*bits, 1])
    return f"constexpr int {what}S = {len(bits)}, {what}_WORDS[] = {{{words}}};"


def _switch(signature: str, statements: list[str], otherwise: str = "") -> str:
    cases = "".join(f"        case {i}: {s} break;\n" for i, s in enumerate(statements))
    return f"inline {signature} {{\n    switch (place) {{\n{cases}    }}\n    {otherwise}\n}}\n"
