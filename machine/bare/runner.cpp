// Bare runs: set up, round-robin over the processors, report.
#include "machine/bare/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/address_space.h"
#include "cpu/core.h"
#include "cpu/core_group.h"
#include "machine/bare/registers_by_name.h"
#include "machine/bare/state_report.h"
#include "machine/guest_memory.h"
#include "machine/host_clock.h"

namespace ia64::machine {
namespace {

using Json = nlohmann::ordered_json;
using cpu::Core;
using cpu::StopReason;

constexpr unsigned kMaxCpus = 16;
constexpr u64 kMaxMemoryBytes = u64{64} << 30;
constexpr u64 kTurn = 1000;  // instructions per turn when several processors run

Error invalid(std::string text) { return {ErrorKind::Invalid, std::move(text)}; }

const char* stop_name(StopReason reason) {
  switch (reason) {
    case StopReason::Budget: return "max-insns";
    case StopReason::StopAddress: return "stop-address";
    case StopReason::Interruption: return "interruption";
    case StopReason::Halted: return "halted";
    case StopReason::InterruptionLoop: return "interruption-loop";
    case StopReason::Requested:
    case StopReason::Watch:
    case StopReason::Gate: break;
  }
  return "stopped";
}

}  // namespace

struct BareRunner::Parts {
  EngineConfig engine;
  HostClock clock;
  std::unique_ptr<GuestMemory> memory;
  std::unique_ptr<AddressSpace> bus;
  std::vector<std::unique_ptr<Core>> cores;
  std::unique_ptr<cpu::CoreGroup> group;  // global purges reach every processor

  Result<void> build(const BareProgram& p);
  Result<void> load(const BareProgram& p);
  Result<void> set_up(Core& core, const BareProgram& p);
  std::pair<StopReason, size_t> execute(const BareProgram& p);
  Result<Json> dump_memory(const BareProgram& p) const;
};

/// Makes processors and RAM, or clears those of the program before when the sizes are the same.
Result<void> BareRunner::Parts::build(const BareProgram& p) {
  if (p.cpus == 0 || p.cpus > kMaxCpus) return invalid(fmt::format("cpus: {} is not 1 to {}", p.cpus, kMaxCpus));
  if (p.memory_bytes == 0 || p.memory_bytes % AddressSpace::kPageSize || p.memory_bytes > kMaxMemoryBytes)
    return invalid(fmt::format("memory: {} is not a multiple of 4096 up to 64 GiB", p.memory_bytes));
  if (memory && memory->size_bytes() == p.memory_bytes && cores.size() == p.cpus) {
    memory->clear();
    for (auto& core : cores) core->drop_all_code();
    return {};
  }
  group.reset();
  cores.clear();
  bus.reset();
  memory.reset();
  auto mapped = GuestMemory::map(p.memory_bytes);
  if (!mapped) return mapped.error();
  memory = std::make_unique<GuestMemory>(std::move(*mapped));
  bus = std::make_unique<AddressSpace>();
  bus->add_ram(0, p.memory_bytes, memory->data(), "ram");
  group = std::make_unique<cpu::CoreGroup>();
  for (unsigned i = 0; i < p.cpus; i++) {
    cores.push_back(std::make_unique<Core>(cpu::CoreWires{.bus = bus.get(), .clock = &clock}));
    group->add(*cores.back());
    if (engine.engine == Engine::Translator) cores.back()->use_translator(engine.translator);
  }
  return {};
}

Result<void> BareRunner::Parts::load(const BareProgram& p) {
  for (const MemoryImage& image : p.memory) {
    if (image.bytes.empty()) continue;
    u8* to = bus->ram_span(image.address, image.bytes.size());
    if (!to)
      return invalid(fmt::format("load: {} bytes at {:#x} do not fit into {} MiB of memory", image.bytes.size(), image.address,
                                 p.memory_bytes >> 20));
    std::copy(image.bytes.begin(), image.bytes.end(), to);
  }
  return {};
}

Result<void> BareRunner::Parts::set_up(Core& core, const BareProgram& p) {
  core.reset();
  for (const auto& [name, value] : p.registers)
    if (auto ok = set_register(core, name, value); !ok) return ok;
  if (p.entry_ip) core.regs().ip = *p.entry_ip, core.regs().slot = p.entry_slot;
  core.set_stop_addresses(p.stop_at);
  core.set_stop_on_interruption(p.stop_on_interruption);
  return {};
}

/// One processor runs straight through; several, or one in slices, take turns until one stops for another reason than its turn.
std::pair<StopReason, size_t> BareRunner::Parts::execute(const BareProgram& p) {
  if (cores.size() == 1 && !p.slice) return {cores[0]->run(p.max_insns), 0};
  const auto at_stop_address = [&](const Core& core) {  // a run that begins at one passes it, so a turn must not end there
    return core.regs().slot == 0 && std::find(p.stop_at.begin(), p.stop_at.end(), core.regs().ip) != p.stop_at.end();
  };
  std::vector<u64> left(cores.size(), p.max_insns ? p.max_insns : ~u64{0});
  for (;;) {
    bool ran = false;
    for (size_t i = 0; i < cores.size(); i++) {
      if (left[i] == 0) continue;
      const u64 turn = std::min(p.slice ? p.slice : kTurn, left[i]);
      const StopReason reason = cores[i]->run(turn);
      if (p.max_insns) left[i] -= turn;
      if (reason == StopReason::Halted) continue;
      ran = true;
      if (reason != StopReason::Budget) return {reason, i};
      if (left[i] && at_stop_address(*cores[i])) return {StopReason::StopAddress, i};
    }
    if (!ran) return {std::all_of(left.begin(), left.end(), [](u64 n) { return n == 0; }) ? StopReason::Budget : StopReason::Halted, 0};
  }
}

Result<Json> BareRunner::Parts::dump_memory(const BareProgram& p) const {
  Json out = Json::array();
  for (const MemorySpan& span : p.dump_memory) {
    const u8* from = span.size_bytes ? bus->ram_span(span.address, span.size_bytes) : nullptr;
    if (!from) return invalid(fmt::format("dump-mem {:#x}:{}: not inside memory", span.address, span.size_bytes));
    std::string hex;
    for (u64 i = 0; i < span.size_bytes; i++) fmt::format_to(std::back_inserter(hex), "{:02x}", from[i]);
    out.push_back({{"addr", fmt::format("{:#x}", span.address)}, {"size", span.size_bytes}, {"hex", hex}});
  }
  return out;
}

BareRunner::BareRunner(const EngineConfig& engine) : parts_(std::make_unique<Parts>()) { parts_->engine = engine; }
BareRunner::~BareRunner() = default;

Result<std::string> BareRunner::run(const BareProgram& program) {
  if (auto ok = parts_->build(program); !ok) return ok.error();
  if (auto ok = parts_->load(program); !ok) return ok.error();
  for (auto& core : parts_->cores)
    if (auto ok = parts_->set_up(*core, program); !ok) return ok.error();
  const auto [reason, which] = parts_->execute(program);
  auto memory = parts_->dump_memory(program);
  if (!memory) return memory.error();
  Json report;
  if (!program.id.empty()) report["id"] = Json::parse(program.id);
  report["stop"] = stop_name(reason);
  report["cpu"] = which;
  report["cpus"] = Json::array();
  for (auto& core : parts_->cores) report["cpus"].push_back(report_core(*core));
  report["memory"] = *memory;
  return report.dump();
}

}  // namespace ia64::machine
