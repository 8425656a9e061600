// Parsing of the options that choose an engine.
#include "tools/cli/engine_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "machine/bare/program.h"

namespace ia64::cli {

void EngineArguments::add_to(CLI::App& command) {
  auto& t = config_.translator;
  command.add_option("--engine", engine_, "interp interprets; jit translates hot code to host code; lockstep runs both and stops where they differ")
      ->check(CLI::IsMember({"interp", "jit", "lockstep"}))->capture_default_str();
  command.add_option("--no-opt", no_opt_, "with jit: switch optimisations off, NAME[,NAME...] or all; help lists them")
      ->take_all()->expected(1);
  command.add_option("--no-host-feature", no_host_features_, "with jit: do without extensions of the host, NAME[,NAME...] or all")
      ->take_all()->delimiter(',');
  command.add_option("--jit-threshold", t.threshold, "with jit: executions of a block before it is translated")
      ->check(CLI::Range(1u, 1u << 30))->capture_default_str();
  command.add_option("--jit-cache", t.cache_bytes, "with jit: bytes of host code kept")
      ->transform(CLI::AsSizeValue(false))->capture_default_str();
  command.add_flag("--count-handlers", t.count_handlers, "with jit: count calls of interpreter handlers by instruction (see --inspect-at-exit)");
  command.add_option("--dump-block", dump_ips_, "with jit: show how the blocks that hold this guest address are translated; repeatable")
      ->take_all()->type_name("IP")->expected(1);
  command.add_option("--dump-file", t.dump_path, "write --dump-block here instead of to standard error");
  command.add_flag("--perf-map", t.perf_map, "with jit: write perf-PID.map for the perf tool");
}

Result<machine::EngineConfig> EngineArguments::complete() const {
  machine::EngineConfig config = config_;
  if (engine_ == "jit") config.engine = machine::Engine::Translator;
  if (engine_ == "lockstep") config.engine = machine::Engine::Lockstep;
  for (const std::string& list : no_opt_) {
    const std::string unknown = config.translator.optimisations.switch_off(list);
    if (unknown == "help")
      return Error{ErrorKind::Invalid, "--no-opt takes any of these, or all:\n" + cpu::Optimisations::describe()};
    if (!unknown.empty()) return Error{ErrorKind::Invalid, fmt::format("--no-opt: no optimisation '{}'; there are {}", unknown, cpu::Optimisations::names())};
  }
  for (const std::string& name : no_host_features_)
    if (!config.translator.host.remove(name))
      return Error{ErrorKind::Invalid, fmt::format("--no-host-feature: no extension '{}'; there are {}", name, cpu::HostFeatures::names())};
  for (const std::string& text : dump_ips_) {
    const auto ip = machine::parse_number(text, "--dump-block");
    if (!ip) return ip.error();
    config.translator.dump_ips.push_back(*ip & ~u64{15});
  }
  return config;
}

}  // namespace ia64::cli
