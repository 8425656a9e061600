// How a machine executes instructions.
#pragma once

#include "cpu/jit/options.h"

namespace ia64::machine {

enum class Engine {
  Interpreter,
  Translator,
  Lockstep,  ///< both, compared; stops at the first difference
};

struct EngineConfig {
  Engine engine = Engine::Interpreter;
  cpu::TranslatorOptions translator;  ///< for all but Engine::Interpreter
};

}  // namespace ia64::machine
