// One program under both engines.
#pragma once

#include <functional>

#include "cpu/arch/register_differences.h"
#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

namespace ia64::test {

using Setup = std::function<void(BareMachine&)>;

/// Runs `source` under both engines in slices of several lengths and compares all registers after each slice, until the first
/// interruption. @returns what the translator counted in the longest run
inline cpu::TranslatorCounters same_under_both(std::string_view source, const Setup& setup, const char* off = "") {
  cpu::TranslatorCounters counters;
  for (u64 slice : {u64{7}, u64{100}, u64{100000}}) {
    BareMachine a, b;
    cpu::TranslatorOptions options = translator_choice();
    options.optimisations.switch_off(off);
    b.core().use_translator(options);
    for (BareMachine* m : {&a, &b}) {
      m->load(source);
      m->regs().psr |= cpu::psr::kIc;
      setup(*m);
      m->core().set_stop_on_interruption(true);
    }
    cpu::StopReason reason = cpu::StopReason::Budget;
    for (u64 done = 0; done < 400'000 && reason == cpu::StopReason::Budget; done += slice) {
      reason = a.core().run(slice);
      REQUIRE(b.core().run(slice) == reason);
      INFO("slices of " << slice << ", " << a.core().slots_retired() << " instructions, ip " << std::hex << a.regs().ip);
      REQUIRE(cpu::register_differences(a.regs(), b.regs()) == "");
      REQUIRE(a.core().slots_retired() == b.core().slots_retired());
    }
    REQUIRE(reason == cpu::StopReason::Interruption);
    counters = *b.core().translator_counters();
  }
  return counters;
}

}  // namespace ia64::test
