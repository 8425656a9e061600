// Saving and loading of a whole machine.
#include "machine/snapshot/machine_snapshot.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "cpu/core.h"
#include "firmware/firmware.h"
#include "machine/board.h"
#include "machine/icount/counted_run.h"
#include "machine/settable_clock.h"
#include "machine/snapshot/checksum.h"
#include "machine/snapshot/media.h"
#include "machine/storage_bays.h"

namespace ia64::machine {

namespace {

constexpr std::chrono::seconds kDrainLimit{30};

/// Virtual time stands as long as this lives, unless it stood before.
class StandingClock {
 public:
  explicit StandingClock(SettableClock& clock) : clock_(clock), stood_(clock.paused()) {
    clock_.pause();
    clock_.settle();
  }
  ~StandingClock() {
    if (!stood_) clock_.resume();
  }
  StandingClock(const StandingClock&) = delete;

 private:
  SettableClock& clock_;
  const bool stood_;
};

/// The order matters where something is loaded into what came before: firmware writes to memory, devices look into it, the
/// interrupt controller knows the wires before devices drive them, and processors forget what all of those sent.
void visit_firmware(const MachineParts& parts, StateSections& state) { state.part("firmware", parts.firmware); }

void visit_devices(const MachineParts& parts, StateSections& state, bool counted) {
  parts.board.visit_state(state);
  state.section("machine", parts.visit_machine);
  state.part("cpu-0", parts.core);
  if (counted) return state.part("icount", *parts.counted);
  if (parts.counted && state.loading()) parts.counted->powered_on();  // what devices sent meanwhile is forgotten here too
}

SnapshotManifest describe(const MachineParts& parts, const std::string& name) {
  SnapshotManifest m;
  m.name = name;
  m.created = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  m.board = parts.board.description().machine_name;
  m.guest = parts.config.name;
  m.memory_bytes = parts.config.memory_bytes;
  m.processors = parts.config.cpus;
  m.processor_model = parts.core.wires().model->name;
  m.virtual_ns = parts.clock.now_ns();
  m.counted = parts.counted != nullptr;
  m.nvram_path = parts.config.nvram_path;
  m.kernel = parts.config.kernel;
  return m;
}

Error different(const char* what, const std::string& saved, const std::string& here) {
  return {ErrorKind::Unsupported, fmt::format("the machine differs from the saved one: {} '{}', saved with '{}'", what, here, saved)};
}

}  // namespace

Result<SnapshotManifest> save_snapshot(const MachineParts& parts, const SnapshotOptions& options) {
  if (const std::string why = parts.firmware.busy(); !why.empty()) return Error{ErrorKind::Unsupported, fmt::format("cannot be saved now: {}", why)};
  auto snapshot = SnapshotDirectory(options.directory).begin(options.name, options.replace);
  if (!snapshot) return snapshot.error();
  const StandingClock standing(parts.clock);
  if (auto ok = parts.board.storage().drain(kDrainLimit); !ok) return ok.error();
  SnapshotManifest manifest = describe(parts, options.name);
  if (auto ok = save_media(parts.board.storage(), options.external_disks, **snapshot, manifest); !ok) return ok.error();

  StateSections state;
  visit_firmware(parts, state);
  visit_devices(parts, state, manifest.counted);
  const std::vector<u8> bytes = state.serialize();
  manifest.state_bytes = bytes.size();
  manifest.state_checksum = checksum_text(bytes);
  if (auto ok = (*snapshot)->write(snapshot_file::kState, bytes); !ok) return ok.error();

  const auto memory_fd = (*snapshot)->create(snapshot_file::kMemory);
  if (!memory_fd) return memory_fd.error();
  auto memory = write_memory_file(*memory_fd, parts.board.ram(), options.progress);
  if (!memory) return memory.error();
  manifest.memory = *memory;

  const std::string text = to_text(manifest);
  if (auto ok = (*snapshot)->write(snapshot_file::kManifest, {reinterpret_cast<const u8*>(text.data()), text.size()}); !ok) return ok.error();
  if (auto ok = (*snapshot)->commit(); !ok) return ok.error();
  return manifest;
}

Result<std::unique_ptr<OpenSnapshot>> OpenSnapshot::open(const std::string& directory_path, const std::string& name) {
  const SnapshotDirectory directory(directory_path);
  const auto named = [&](const Error& e) { return Error{e.kind, fmt::format("snapshot '{}': {}", name, e.message)}; };
  auto manifest = directory.manifest(name);
  if (!manifest) return manifest.error();
  auto bytes = directory.read(name, snapshot_file::kState);
  if (!bytes) return bytes.error();
  if (bytes->size() != manifest->state_bytes || checksum_text(*bytes) != manifest->state_checksum)
    return named({ErrorKind::Invalid, "the state is damaged: its checksum is wrong"});
  auto state = StateSections::parse(std::move(*bytes));
  if (!state) return named(state.error());
  return std::unique_ptr<OpenSnapshot>(new OpenSnapshot(directory, std::move(*manifest), std::move(*state)));
}

Result<void> OpenSnapshot::check(const MachineParts& parts) const {
  const SnapshotManifest here = describe(parts, manifest_.name), &saved = manifest_;
  if (here.board != saved.board) return different("board", saved.board, here.board);
  if (here.memory_bytes != saved.memory_bytes)
    return different("memory", fmt::format("{} MiB", saved.memory_bytes >> 20), fmt::format("{} MiB", here.memory_bytes >> 20));
  if (here.processors != saved.processors) return different("number of processors", std::to_string(saved.processors), std::to_string(here.processors));
  if (here.processor_model != saved.processor_model) return different("processor", saved.processor_model, here.processor_model);
  if (saved.counted && !here.counted) return different("time", "counted (--icount)", "the host's");
  return check_media(saved, parts.board.storage());
}

Result<void> OpenSnapshot::load_memory(const MachineParts& parts) const {
  const auto fd = directory_.open(manifest_.name, snapshot_file::kMemory);
  if (!fd) return fd.error();
  auto shown = show_memory_file(*fd, parts.board.ram());
  close(*fd);
  return shown;
}

Result<void> OpenSnapshot::load(const MachineParts& parts) {
  if (auto ok = load_media(directory_, manifest_, parts.board.storage(), !parts.config.restored || parts.started); !ok) return ok;
  parts.clock.pause();
  parts.clock.settle();
  parts.clock.set_now(manifest_.virtual_ns);
  visit_firmware(parts, state_);
  if (auto ok = load_memory(parts); !ok) return ok;
  visit_devices(parts, state_, manifest_.counted);
  return state_.finish();
}

}  // namespace ia64::machine
