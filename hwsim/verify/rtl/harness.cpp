// Replays jobs through a design that Verilator translated; called from Python through ctypes.
//
// ports.h, generated for the design, names its class `Model` and copies its numbered ports. In each
// cycle the inputs are set while the clock is low, outputs and ready bits are sampled once they have
// settled, and the clock rises.

#include <cstdint>
#include <stdexcept>
#include <string>

#include "ports.h"
#include "verilated.h"

// What Verilator's runtime calls when a design ends the simulation or cannot go on (VL_USER_FINISH
// and so on): its own functions end the whole process.
[[noreturn]] static void end(const char* file, int line, const std::string& why) {
    throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + why);
}
void vl_finish(const char* file, int line, const char*) { end(file, line, "$finish"); }
void vl_stop(const char* file, int line, const char*) { end(file, line, "$stop"); }
void vl_fatal(const char* file, int line, const char*, const char* why) { end(file, line, why); }

namespace {

// What Python passes: the same fields in `verilator._Batch`.
struct Batch {
    int64_t jobs;
    const uint32_t* settings;             // the words of one job behind those of another
    const uint32_t* const* items;         // [inputs], of all jobs
    const int64_t* item_counts;           // [jobs][inputs]
    const int64_t* wanted;                // [jobs][outputs]
    const int64_t* limits;                // cycles, [jobs]
    const uint32_t* stalls;               // where random generators begin, 0 for none; [jobs][inputs]
    int64_t counted_first, counted_last;  // inputs from whose first transfer cycles count
    int64_t trailing, reset_cycles, stall_threshold;
    uint32_t* const* outputs;             // [outputs], room for a job's wanted ones and `trailing` more
    int64_t* const* output_cycles;        // likewise
    int64_t* found;                       // [jobs][outputs]
    int64_t* taken;                       // [jobs][inputs]
    int64_t* cycles;                      // [jobs]
};

// xorshift32; see `outcome.stall_states`.
uint32_t next_random(uint32_t state) {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^ (state << 5);
}

struct Input {
    const uint32_t* items;
    int64_t count = 0, taken = 0;
    bool is_offered = false;
    uint32_t random = 0;

    // Whether there is an item to offer that no stall withholds.
    bool begins(int64_t stall_threshold) {
        if (taken == count) return false;
        if (random == 0) return true;
        random = next_random(random);
        return (random & 255u) >= stall_threshold;
    }
};

struct Output {
    uint32_t* items;
    int64_t* cycles;
    int64_t wanted = 0, found = 0;
};

class Run {
   public:
    Run(Model& model, const Batch& batch) : model(model), batch(batch) {
        for (int i = 0; i < INPUTS; i++) inputs[i].items = batch.items[i];
        for (int o = 0; o < OUTPUTS; o++) {
            outputs[o].items = batch.outputs[o];
            outputs[o].cycles = batch.output_cycles[o];
        }
    }

    void run_job(int64_t job) {
        begin(job);
        reset(job);
        for (cycle = 0; cycle < last; cycle++) {
            offer();
            model.eval();
            take();
            see();
            rise();
        }
        finish(job);
    }

   private:
    Model& model;
    const Batch& batch;
    Input inputs[INPUTS + 1];
    Output outputs[OUTPUTS + 1];
    int64_t missing, cycle, last;
    int64_t origin;  // the cycle that counts as 0, negative until it comes

    void begin(int64_t job) {
        for (int i = 0; i < INPUTS; i++) {
            Input& input = inputs[i];
            input.items += input.count * INPUT_WORDS[i];
            input.count = batch.item_counts[job * INPUTS + i];
            input.taken = 0;
            input.is_offered = false;
            input.random = batch.stalls[job * INPUTS + i];
        }
        missing = 0;
        for (int o = 0; o < OUTPUTS; o++) {
            outputs[o].wanted = batch.wanted[job * OUTPUTS + o];
            outputs[o].found = 0;
            missing += outputs[o].wanted;
        }
        origin = -1;
        last = batch.limits[job];
        if (missing == 0 && batch.trailing < last) last = batch.trailing;
    }

    void reset(int64_t job) {
        const uint32_t* words = batch.settings + job * ALL_SETTING_WORDS;
        for (int i = 0; i < SETTINGS; i++) {
            set_setting(model, i, words);
            words += SETTING_WORDS[i];
        }
        for (int i = 0; i < INPUTS; i++) set_input_valid(model, i, false);
        model.reset = 1;
        for (int64_t i = 0; i < batch.reset_cycles; i++) {
            model.eval();
            rise();
        }
        model.reset = 0;
    }

    void offer() {
        for (int i = 0; i < INPUTS; i++) {
            Input& input = inputs[i];
            if (!input.is_offered && input.begins(batch.stall_threshold)) {
                input.is_offered = true;
                set_input(model, i, input.items + input.taken * INPUT_WORDS[i]);
            }
            set_input_valid(model, i, input.is_offered);
        }
    }

    void take() {
        for (int i = 0; i < INPUTS; i++) {
            if (!inputs[i].is_offered || !input_ready(model, i)) continue;
            inputs[i].is_offered = false;
            inputs[i].taken++;
            const bool counts = batch.counted_first <= i && i < batch.counted_last;
            if (origin < 0 && counts) origin = cycle;
        }
    }

    void see() {
        for (int o = 0; o < OUTPUTS; o++) {
            Output& output = outputs[o];
            if (!output_valid(model, o) || output.found == output.wanted + batch.trailing) continue;
            get_output(model, o, output.items + output.found * OUTPUT_WORDS[o]);
            output.cycles[output.found] = cycle;
            const int64_t end = cycle + 1 + batch.trailing;
            if (output.found++ < output.wanted && --missing == 0 && end < last) last = end;
        }
    }

    void rise() {
        model.clock = 1;
        model.eval();
        model.clock = 0;
    }

    void finish(int64_t job) {
        batch.cycles[job] = cycle;
        for (int i = 0; i < INPUTS; i++) batch.taken[job * INPUTS + i] = inputs[i].taken;
        for (int o = 0; o < OUTPUTS; o++) {
            Output& output = outputs[o];
            batch.found[job * OUTPUTS + o] = output.found;
            for (int64_t k = 0; k < output.found && origin > 0; k++) output.cycles[k] -= origin;
            output.items += (output.wanted + batch.trailing) * OUTPUT_WORDS[o];
            output.cycles += output.wanted + batch.trailing;
        }
    }
};

}  // namespace

// Runs jobs one after the other; returns null, or why the simulation ended before their end.
extern "C" const char* simulate(const Batch* batch) {
    static thread_local std::string message;
    try {
        VerilatedContext context;
        Verilated::threadContextp(&context);
        context.randReset(2);  // registers without reset begin at random, the same in every run
        context.randSeed(1);
        Model model(&context);
        model.clock = 0;
        Run run(model, *batch);
        for (int64_t job = 0; job < batch->jobs; job++) run.run_job(job);
        return nullptr;
    } catch (const std::exception& ended) {
        message = ended.what();
        return message.c_str();
    }
}
