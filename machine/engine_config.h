// How a machine executes instructions.
#pragma once

#include "cpu/jit/options.h"

namespace ia64::machine {

enum class Engine { Interpreter, Translator };

struct EngineConfig {
  Engine engine = Engine::Interpreter;
  cpu::TranslatorOptions translator;  ///< for Engine::Translator
};

}  // namespace ia64::machine
