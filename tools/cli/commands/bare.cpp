// ivm bare: programs on bare processors, one by options or many by a batch file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "machine/bare/runner.h"
#include "tools/cli/command.h"
#include "tools/cli/engine_arguments.h"

namespace ia64::cli {
namespace {

using machine::BareProgram;
using machine::BareRunner;

struct BareArguments {
  EngineArguments engine{"interp"};
  BareProgram program;
  std::vector<std::string> loads, elfs, pokes, sets, stops, dumps;
  std::string entry, dump_file, batch;
  u64 memory_mib = 64;
};

Result<void> complete(BareArguments& a) {
  BareProgram& p = a.program;
  p.memory_bytes = a.memory_mib << 20;
  using Add = Result<void> (*)(BareProgram&, const std::string&);
  const std::pair<const std::vector<std::string>*, Add> lists[] = {{&a.loads, machine::add_load}, {&a.elfs, machine::add_elf},
                                                                   {&a.pokes, machine::add_poke}, {&a.sets, machine::add_register},
                                                                   {&a.dumps, machine::add_dump}};
  for (const auto& [texts, add] : lists)
    for (const auto& text : *texts)
      if (auto ok = add(p, text); !ok) return ok;
  for (const auto& text : a.stops) {
    auto ip = machine::parse_number(text, "stop-at");
    if (!ip) return ip.error();
    p.stop_at.push_back(*ip);
  }
  if (!a.entry.empty()) return machine::set_entry(p, a.entry);
  return {};
}

int run_one(BareArguments& a) {
  if (auto ok = complete(a); !ok) return usage_error(ok.error().message.c_str());
  auto engine = a.engine.complete();
  if (!engine) return usage_error(engine.error().message.c_str());
  if (engine->engine == machine::Engine::Lockstep) return usage_error("--engine lockstep: for ivm run only");
  BareRunner runner(*engine);
  auto report = runner.run(a.program);
  if (!report) return usage_error(report.error().message.c_str());
  if (a.dump_file.empty() || a.dump_file == "-") {
    std::puts(report->c_str());
    return 0;
  }
  std::ofstream out(a.dump_file);
  out << *report << '\n';
  out.flush();
  return out ? 0 : usage_error(fmt::format("--dump {}: cannot write it", a.dump_file).c_str());
}

std::string error_line(const std::string& id, const std::string& message) {
  nlohmann::ordered_json line;
  if (!id.empty()) line["id"] = nlohmann::json::parse(id);
  line["error"] = message;
  return line.dump();
}

/// One answer line for every program line, errors included.
int run_batch(const std::string& path, const EngineArguments& arguments) {
  const auto engine = arguments.complete();
  if (!engine) return usage_error(engine.error().message.c_str());
  if (engine->engine == machine::Engine::Lockstep) return usage_error("--engine lockstep: for ivm run only");
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) return usage_error(fmt::format("--batch {}: cannot read it", path).c_str());
  }
  std::istream& in = path == "-" ? std::cin : file;
  BareRunner runner(*engine);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    auto program = machine::parse_program(line);
    if (!program) {
      std::puts(error_line("", program.error().message).c_str());
      continue;
    }
    auto report = runner.run(*program);
    std::puts(report ? report->c_str() : error_line(program->id, report.error().message).c_str());
  }
  return 0;
}

}  // namespace

Run add_bare(CLI::App& command) {
  auto a = std::make_shared<BareArguments>();
  const auto list = [&](const char* name, std::vector<std::string>& to, const char* help) {
    command.add_option(name, to, help)->take_all()->expected(1);
  };
  list("--load", a->loads, "ADDR=FILE: raw bytes at a physical address");
  list("--elf", a->elfs, "FILE: ELF segments at their physical addresses; its entry is the default entry");
  list("--poke", a->pokes, "ADDR:SIZE=VALUE: a little-endian integer of 1, 2, 4 or 8 bytes");
  list("--set", a->sets, "NAME=VALUE: r3, r3.nat, f6 (SIGN_EXPONENT:SIGNIFICAND), p7, pr, b0, psr, cfm, ar.lc, cr.iva, rr0, pkr0, ibr0, dbr0, pmc4, pmd4");
  list("--stop-at", a->stops, "IP: stop before this bundle executes");
  list("--dump-mem", a->dumps, "ADDR:SIZE: include this memory in the report");
  command.add_option("--entry", a->entry, "IP[:SLOT] to start at");
  command.add_flag("--stop-on-interruption", a->program.stop_on_interruption, "stop after the first interruption");
  command.add_option("--max-insns", a->program.max_insns, "stop after this many instructions of each processor");
  command.add_option("-c", a->program.cpus, "number of processors")->capture_default_str();
  command.add_option("-m", a->memory_mib, "memory in MiB")->capture_default_str()->check(CLI::Range(1, 65536));
  a->engine.add_to(command);
  command.add_option("--dump", a->dump_file, "write the report here instead of to standard output");
  command.add_option("--batch", a->batch, "a file of JSON programs, one a line ('-': standard input); answers one line each");
  command.footer("The report and the batch format are described in docs/bare.md.");
  return [a] { return a->batch.empty() ? run_one(*a) : run_batch(a->batch, a->engine); };
}

}  // namespace ia64::cli
