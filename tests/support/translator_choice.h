// The translator's options for tests, with what the environment switches off.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "cpu/jit/options.h"

namespace ia64::test {

/// Whether tests that do not care are to run under the translator.
inline bool engine_is_jit() {
  const char* engine = std::getenv("IVM_TEST_ENGINE");
  return engine && std::string(engine) == "jit";
}

/// Options that translate every block on its `threshold`-th execution, make regions soon after, and check the intermediate form. IVM_NO_OPT names
/// optimisations to switch off, separated by commas.
inline cpu::TranslatorOptions translator_choice(unsigned threshold = 1) {
  cpu::TranslatorOptions options;
  options.threshold = threshold, options.region_threshold = threshold + 1, options.verify = true;
  if (const char* list = std::getenv("IVM_NO_OPT")) {
    const std::string unknown = options.optimisations.switch_off(list);
    if (!unknown.empty()) std::fprintf(stderr, "IVM_NO_OPT: no optimisation '%s'\n", unknown.c_str()), std::abort();
  }
  return options;
}

}  // namespace ia64::test
