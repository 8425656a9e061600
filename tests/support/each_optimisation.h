// Runs that lack one optimisation of the translator.
#pragma once

#include <string>

#include "tests/support/test.h"
#include "tests/support/translator_choice.h"

namespace ia64::test {

/// Calls `f(seed, options)` for options that lack one optimisation, each in turn, and at last all; with `seeds` other seeds for each.
template <class F>
void without_each_optimisation(u64 first_seed, u64 seeds, F f) {
  std::string names = cpu::Optimisations::names() + ",all";
  for (; !names.empty(); first_seed += seeds) {
    const std::string name = names.substr(0, names.find(','));
    names.erase(0, name.size() + 1);
    INFO("without " << name);
    cpu::TranslatorOptions options = translator_choice(2);
    options.optimisations.set(name, false);
    for (u64 seed = first_seed; seed < first_seed + seeds; seed++) f(seed, options);
  }
}

}  // namespace ia64::test
