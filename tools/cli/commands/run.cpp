// ivm run: options of a machine and its console.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/log.h"
#include "machine/debugger/desk.h"
#include "machine/run_session.h"
#include "machine/snapshot/restore.h"
#include "tools/cli/command.h"
#include "tools/cli/engine_arguments.h"

namespace ia64::cli {
namespace {

using machine::ConsoleScript;

struct RunArguments {
  machine::RunOptions options;
  std::vector<std::string> resources, expects, sends, untils;
  std::string memory = "1G", idle_slack = "on";
  EngineArguments engine{"jit"};
  std::string trace, trace_file, log_faults, start;
};

/// "1G", "512M", "4096K" or a plain number of MiB, as Integrity VM reads -r.
Result<u64> parse_memory(const std::string& text) {
  char* end = nullptr;
  const u64 n = std::strtoull(text.c_str(), &end, 10);
  const std::string unit = end ? end : "";
  unsigned shift = 0;
  if (unit.empty() || unit == "M" || unit == "m") {
    shift = 20;
  } else if (unit == "G" || unit == "g") {
    shift = 30;
  } else if (unit == "K" || unit == "k") {
    shift = 10;
  } else {
    return Error{ErrorKind::Invalid, fmt::format("-m {}: not a size; write 1G, 512M or a number of MiB", text)};
  }
  if (text[0] == '-' || n == 0 || n > (u64{1} << 50 >> shift))
    return Error{ErrorKind::Invalid, fmt::format("-m {}: out of range", text)};
  return n << shift;
}

/// @returns seconds since 1970 UTC
Result<i64> parse_date(const std::string& text) {
  std::tm t{};
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    t = {};
    const char* const end = strptime(text.c_str(), form, &t);
    if (end && !*end && t.tm_year >= 70) return static_cast<i64>(timegm(&t));
  }
  return Error{ErrorKind::Invalid, fmt::format("--rtc {}: not a date; write 2010-01-31 or 2010-01-31T12:00:00", text)};
}

/// The expect/send/until options in the order of the command line.
std::vector<ConsoleScript::Step> ordered_steps(const CLI::App& command, const RunArguments& a) {
  std::vector<ConsoleScript::Step> steps;
  size_t expect = 0, send = 0, until = 0;
  for (const CLI::Option* option : command.parse_order()) {
    const std::string name = option->get_single_name();
    if (name == "expect") steps.push_back({ConsoleScript::Step::Kind::Expect, a.expects[expect++]});
    if (name == "send") steps.push_back({ConsoleScript::Step::Kind::Send, a.sends[send++]});
    if (name == "until") steps.push_back({ConsoleScript::Step::Kind::Expect, a.untils[until++]});
  }
  return steps;
}

/// A restored machine is as it was saved wherever the user says nothing else.
Result<void> complete_restore(const CLI::App& command, RunArguments& a) {
  const auto given = [&](const char* option) { return command.get_option(option)->count() > 0; };
  if (a.options.snapshot_dir.empty()) return Error{ErrorKind::Invalid, "--restore needs --snapshot-dir, where the snapshot is"};
  return machine::configure_for_restore(machine::SnapshotDirectory(a.options.snapshot_dir), a.options.restore,
                                        {.machine = given("--machine"),
                                         .name = given("--name"),
                                         .memory = given("-m"),
                                         .processors = given("-c"),
                                         .kernel = given("--kernel"),
                                         .storage = given("-a")},
                                        a.options.machine);
}

Result<void> complete(const CLI::App& command, RunArguments& a) {
  if (auto ok = log::enable(a.trace); !ok) return Error{ErrorKind::Invalid, "--trace: " + ok.error().message};
  if (!a.log_faults.empty()) machine::debugger::Desk::log_faults(a.log_faults == "all");
  if (!a.trace_file.empty())
    if (auto ok = log::to_file(a.trace_file); !ok) return ok.error();
  auto memory = parse_memory(a.memory);
  if (!memory) return memory.error();
  auto& m = a.options.machine;
  m.memory_bytes = *memory;
  m.idle_slack = a.idle_slack == "on";
  if (!a.start.empty()) {
    auto start = parse_date(a.start);
    if (!start) return start.error();
    m.start_s = *start;
  }
  auto engine = a.engine.complete();
  if (!engine) return engine.error();
  m.engine = *engine;
  for (const auto& text : a.resources) {
    auto statement = machine::parse_resource_statement(text);
    if (!statement) return statement.error();
    m.storage.push_back(*statement);
  }
  if (auto ok = machine::allocate_addresses(m.storage); !ok) return ok.error();
  if (!a.options.restore.empty())
    if (auto ok = complete_restore(command, a); !ok) return ok;
  if (m.kernel.kernel_path.empty() && !(m.kernel.initrd_path.empty() && m.kernel.arguments.empty()))
    return Error{ErrorKind::Invalid, "--initrd and --append need --kernel"};
  a.options.steps = ordered_steps(command, a);
  return {};
}

int run(const CLI::App& command, RunArguments& a) {
  if (auto ok = complete(command, a); !ok) return usage_error(ok.error().message.c_str());
  auto status = machine::run_session(a.options);
  if (!status) return usage_error(status.error().message.c_str());
  return static_cast<int>(*status);
}

}  // namespace

Run add_run(CLI::App& command) {
  auto a = std::make_shared<RunArguments>();
  auto& o = a->options;
  auto& m = o.machine;
  command.add_option("-a", a->resources,
                     "storage, repeatable: disk|dvd|tape|changer|burner:avio_stor|scsi:[bus,slot,target]:STORE:LOCATION; empty numbers are allocated")
      ->take_all()->type_name("RESOURCE")->expected(1);
  command.add_option("-m", a->memory, "memory: 1G, 512M, or a number of MiB")->capture_default_str();
  command.add_option("-c", m.cpus, "number of processors")->capture_default_str();
  a->engine.add_to(command);
  command.add_option("--machine", m.machine, "board; a bare name means its newest version")->capture_default_str();
  command.add_option("--name", m.name, "name of the guest")->capture_default_str();
  command.add_option("--nvram", m.nvram_path, "file that keeps the EFI variables; without it they last for this run");
  command.add_option("--boot-timeout", m.boot_timeout_s, "seconds the boot manager counts down; 0 boots at once")
      ->check(CLI::Range(0, 65534));
  command.add_option("--kernel", m.kernel.kernel_path, "start this ELF kernel (plain or gzipped) without a boot loader");
  command.add_option("--initrd", m.kernel.initrd_path, "initial RAM disk for --kernel");
  command.add_option("--append", m.kernel.arguments, "command line for --kernel");
  command.add_flag("--icount", m.icount, "deterministic: time is counted in instructions, equal scripts give equal runs (docs/icount.md)");
  command.add_option("--idle-slack", a->idle_slack, "whether clock ticks of a guest that has only ticked for a second may come late, with the next ones: on or off (docs/idle.md)")
      ->check(CLI::IsMember({"on", "off"}))->capture_default_str();
  command.add_option("--rtc", a->start, "what the guest's clock shows at power-on: YYYY-MM-DD[THH:MM:SS], UTC")->type_name("DATE");
  command.add_option("--console", o.console, "stdio (escape key Ctrl-], Ctrl-] ? for help), window, none, or unix:PATH")
      ->capture_default_str();
  command.add_option("--control", o.control, "listen for control commands: unix:PATH or tcp:127.0.0.1:PORT");
  command.add_flag("--paused", o.paused, "wait for `continue` on the control socket before the first instruction")->needs("--control");
  command.add_flag("--held", o.held, "with --icount: run only while a client of the control socket says `go` (docs/icount.md)")->needs("--control");
  auto* const gdb = command.add_option("--gdb", o.gdb, "listen for a GDB debugger: unix:PATH or tcp:PORT, on this host only");
  command.add_flag("--gdb-wait", o.gdb_wait, "wait for the debugger before the first instruction")->needs(gdb);
  command.add_option("--snapshot-dir", o.snapshot_dir, "directory for snapshots of the guest: the command 'snapshot' saves there");
  command.add_option("--restore", o.restore, "start from this snapshot of --snapshot-dir; options of the machine may be left out then");
  command.add_option("--symbols", o.symbols, "symbols of the guest, repeatable: an ELF file or System.map, plain or gzipped; FILE@NAME.EFI for an EFI image")
      ->take_all()->type_name("FILE")->expected(1);
  command.add_option("--log-faults", a->log_faults, "trace interruptions as sentences: faults, or all (system calls, TLB misses, external interrupts too)")
      ->expected(0, 1)->default_str("faults")->check(CLI::IsMember({"faults", "all"}));
  command.add_option("--log", o.log_path, "write the guest's console output to this file as well");
  command.add_option("--trace", a->trace, "comma-separated trace channels on standard error; a wrong name lists them");
  command.add_option("--trace-file", a->trace_file, "send traces to this file instead");
  command.add_option("--timeout", o.timeout_s, "stop with status 3 after this many seconds of host time");
  command.add_option("--expect", a->expects, "wait for console output matching this regular expression")->take_all()->expected(1);
  command.add_option("--send", a->sends, "then type this text; escapes \\r \\n \\t \\e \\\\ \\xNN")->take_all()->expected(1);
  command.add_option("--until", a->untils, "as --expect; status 0 once the last step has matched")->take_all()->expected(1);
  command.add_option("--inspect-at-exit", o.inspect_path, "write the machine's state and counters as JSON to this file at the end; - for standard output");
  command.add_flag("--state-hash", o.print_state_hash, "print a number for all registers and memory at the end");
  command.add_flag("--speed", o.print_speed, "report executed instructions and time at each --expect and at the end");
  command.footer(
      "Steps run in the order given. Exit status: 0 powered off or script done, 2 bad usage or configuration,\n"
      "3 timeout, 4 the guest stopped otherwise, 5 internal error.");
  return [a, &command] { return run(command, *a); };
}

}  // namespace ia64::cli
