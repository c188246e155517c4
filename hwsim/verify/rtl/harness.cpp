// Replays jobs through a design that Verilator translated; called from Python through ctypes.
//
// ports.h, generated for the design, names its class `Model` and copies its numbered ports. In each
// cycle the inputs are set while the clock is low, outputs and ready bits are sampled once they have
// settled, and the clock rises.

#include <cstdint>

#include "ports.h"
#include "verilated.h"

namespace {

struct Stream {
    const uint32_t* items;
    int64_t count, taken;
    bool offered;
    uint32_t random;  // state of the generator of its stalls, 0 for none
};

uint32_t next_random(uint32_t state) {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^ (state << 5);
}

void rise(Model& model) {
    model.clock = 1;
    model.eval();
    model.clock = 0;
}

}  // namespace

// Arrays end in one entry too many where there might be none. All that have two indices are
// [jobs][streams] but `settings`, which has the words of one job behind those of another, and the
// arrays of pointers, [streams].
extern "C" void simulate(
    int64_t jobs, const uint32_t* settings, const uint32_t* const* items, const int64_t* item_counts,
    const int64_t* wanted, const int64_t* limits, const uint32_t* stalls, int64_t counts_from_first,
    int64_t counts_from_last, int64_t trailing, int64_t reset_cycles, uint32_t stall_threshold,
    uint32_t* const* outputs, int64_t* const* output_cycles, int64_t* found, int64_t* taken,
    int64_t* cycles) {
    VerilatedContext context;
    Verilated::threadContextp(&context);
    context.randReset(2);  // registers without reset begin at random, the same in every run
    context.randSeed(1);
    Model model(&context);
    int64_t input_base[INPUTS + 1] = {}, output_base[OUTPUTS + 1] = {};
    model.clock = 0;
    for (int64_t job = 0; job < jobs; job++) {
        Stream streams[INPUTS + 1];
        const int64_t* want = wanted + job * OUTPUTS;
        int64_t* seen = found + job * OUTPUTS;
        for (int i = 0; i < INPUTS; i++) {
            streams[i] = {items[i] + input_base[i] * INPUT_WORDS[i], item_counts[job * INPUTS + i], 0, false,
                          stalls[job * INPUTS + i]};
            set_input_valid(model, i, 0);
        }
        for (int i = 0; i < SETTINGS; i++) {
            set_setting(model, i, settings);
            settings += SETTING_WORDS[i];
        }
        model.reset = 1;
        for (int64_t cycle = 0; cycle < reset_cycles; cycle++) {
            model.eval();
            rise(model);
        }
        model.reset = 0;

        int64_t missing = 0, cycle = 0, origin = -1, end = limits[job];
        for (int o = 0; o < OUTPUTS; o++) missing += want[o];
        if (missing == 0 && trailing < end) end = trailing;
        for (; cycle < end; cycle++) {
            for (int i = 0; i < INPUTS; i++) {
                Stream& stream = streams[i];
                if (!stream.offered && stream.taken < stream.count) {
                    bool withheld = false;
                    if (stream.random) {
                        stream.random = next_random(stream.random);
                        withheld = (stream.random & 255u) < stall_threshold;
                    }
                    if (!withheld) {
                        stream.offered = true;
                        set_input(model, i, stream.items + stream.taken * INPUT_WORDS[i]);
                    }
                }
                set_input_valid(model, i, stream.offered);
            }
            model.eval();
            for (int i = 0; i < INPUTS; i++) {
                if (!streams[i].offered || !input_ready(model, i)) continue;
                streams[i].offered = false;
                streams[i].taken++;
                if (origin < 0 && i >= counts_from_first && i < counts_from_last) origin = cycle;
            }
            for (int o = 0; o < OUTPUTS; o++) {
                if (!output_valid(model, o)) continue;
                if (seen[o] < want[o] + trailing) {
                    const int64_t place = output_base[o] + seen[o];
                    get_output(model, o, outputs[o] + place * OUTPUT_WORDS[o]);
                    output_cycles[o][place] = cycle;
                }
                if (seen[o]++ < want[o] && --missing == 0 && cycle + 1 + trailing < end) {
                    end = cycle + 1 + trailing;
                }
            }
            rise(model);
        }
        cycles[job] = cycle;
        for (int o = 0; o < OUTPUTS; o++) {
            const int64_t room = want[o] + trailing;
            if (seen[o] > room) seen[o] = room;
            for (int64_t k = 0; k < seen[o] && origin > 0; k++) {
                output_cycles[o][output_base[o] + k] -= origin;
            }
            output_base[o] += room;
        }
        for (int i = 0; i < INPUTS; i++) {
            taken[job * INPUTS + i] = streams[i].taken;
            input_base[i] += streams[i].count;
        }
    }
}
