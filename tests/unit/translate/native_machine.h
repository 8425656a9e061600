// A machine that translates, for assembled programs that end with a break.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

namespace ia64::test {

/// Translates every block at once.
struct NativeMachine : BareMachine {
  explicit NativeMachine(cpu::TranslatorOptions options = translator_choice()) { core().use_translator(options); }
  /// Runs until the break at the end of the text.
  cpu::InterruptionRecord run_to_break() { return run_to_interruption(1'000'000); }
};

/// Loads `program`, behind which a break follows.
inline void load_to_break(BareMachine& m, std::string_view program) {
  m.load(std::string(program) + "{ .mib\n  break.m 0x100\n  nop.i 0\n  nop.b 0 ;;\n}\n");
}

}  // namespace ia64::test
