// Runs bare programs on bare processors and reports their final state as JSON.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/bare/program.h"
#include "machine/engine_config.h"

namespace ia64::machine {

/// Processors and RAM that are used again for every program, so that thousands of small ones run fast. One thread.
class BareRunner {
 public:
  explicit BareRunner(const EngineConfig& engine = {});
  ~BareRunner();
  /// Runs one program from the architected reset state.
  /// @returns one JSON object (docs/bare.md); Invalid when the program asks for something impossible
  Result<std::string> run(const BareProgram& program);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ia64::machine
