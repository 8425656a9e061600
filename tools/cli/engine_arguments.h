// The options that choose an engine, shared by the sub-commands that execute instructions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "machine/engine_config.h"

namespace CLI {
class App;
}

namespace ia64::cli {

/// --engine, --no-opt, --no-host-feature and what else concerns the translator. Must outlive the parsing.
class EngineArguments {
 public:
  /// @param engine  what runs when --engine is not given: interp, jit or lockstep
  explicit EngineArguments(std::string engine) : engine_(std::move(engine)) {}
  void add_to(CLI::App& command);
  /// @returns Invalid naming an optimisation or extension that does not exist
  Result<machine::EngineConfig> complete() const;

 private:
  std::string engine_;
  std::vector<std::string> no_opt_, no_host_features_, dump_ips_;
  machine::EngineConfig config_;
};

}  // namespace ia64::cli
