// The snapshot command: save, load, list, show, delete.
#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "machine/config.h"
#include "machine/control/command.h"
#include "machine/control/jobs.h"
#include "machine/machine.h"
#include "machine/snapshot/machine_snapshot.h"
#include "machine/snapshot/report.h"

namespace ia64::machine::control {
namespace {

/// Runs `work` on the processor's thread as a job. @param work  gets something to call with the bytes of memory that are done; it
/// answers whether to go on
Result<Json> begin(Call& call, Jobs::Work about, std::function<Result<Json>(const MemoryProgress&)> work) {
  Jobs& jobs = *call.context.jobs;
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  if (about.total) about.cancel = [cancelled]() -> Result<void> { return *cancelled = true, Result<void>(); };
  const Jobs::Id id = jobs.start(std::move(about));
  const bool taken = call.context.machine->call([&jobs, id, cancelled, work = std::move(work)] {
    const auto result = work([&jobs, id, cancelled](u64 done) {
      jobs.post([&jobs, id, done] { jobs.progress(id, done); });
      return !cancelled->load();
    });
    jobs.post([&jobs, id, result] { jobs.end(id, result); });
  });
  if (!taken) jobs.end(id, Error{ErrorKind::Unsupported, "the machine has stopped"});
  return Json{{"job", id}};
}

Result<Json> save(Call& call, const SnapshotDirectory& directory, const std::string& name) {
  const std::string disks = call.arguments.text("disks");
  if (!disks.empty() && disks != "external") return Error{ErrorKind::Invalid, fmt::format("disks={}: the only choice is external", disks)};
  SnapshotOptions options{.directory = directory.path(), .name = name, .replace = call.arguments.flag("replace"), .external_disks = !disks.empty()};
  return begin(call, {.command = "snapshot", .total = call.context.config->memory_bytes},
               [machine = call.context.machine, options](const MemoryProgress& progress) mutable -> Result<Json> {
                 options.progress = progress;
                 auto saved = machine->save_snapshot(options);
                 if (!saved) return saved.error();
                 return snapshot_row(*saved);
               });
}

Result<Json> load(Call& call, const SnapshotDirectory& directory, const std::string& name) {
  return begin(call, {.command = "snapshot"}, [&context = call.context, path = directory.path(), name](const MemoryProgress&) -> Result<Json> {
    if (auto ok = context.machine->load_snapshot(path, name); !ok) return ok.error();
    context.publish(EventKind::State, {{"state", context.machine->paused() ? "Paused" : "On (OS)"}, {"cause", fmt::format("snapshot {} was loaded", name)}});
    return Json{{"name", name}};
  });
}

Result<Json> list(Call&, const SnapshotDirectory& directory, const std::string&) { return snapshot_list(directory); }

Result<Json> show(Call&, const SnapshotDirectory& directory, const std::string& name) { return snapshot_details(directory, name, false); }

Result<Json> remove(Call&, const SnapshotDirectory& directory, const std::string& name) {
  if (auto ok = directory.remove(name); !ok) return ok.error();
  return Json{{"name", name}};
}

struct Action {
  const char* name;
  bool needs_name;
  Result<Json> (*run)(Call&, const SnapshotDirectory&, const std::string& name);
};
constexpr Action kActions[] = {{"save", true, save}, {"load", true, load}, {"list", false, list}, {"show", true, show}, {"delete", true, remove}};

Result<Json> snapshot(Call& call) {
  const std::string wanted = call.arguments.text("action"), name = call.arguments.text("name");
  for (const Action& action : kActions) {
    if (wanted != action.name) continue;
    if (action.needs_name && name.empty()) return Error{ErrorKind::Invalid, fmt::format("snapshot {} needs a name", wanted)};
    if (call.context.snapshot_directory.empty())
      return Error{ErrorKind::Unsupported, "this run has no place for snapshots: start it with --snapshot-dir DIR"};
    return action.run(call, SnapshotDirectory(call.context.snapshot_directory), name);
  }
  return Error{ErrorKind::Invalid, fmt::format("snapshot {}: use save, load, list, show or delete", wanted)};
}

}  // namespace

std::vector<CommandRow> snapshot_commands() {
  using enum ArgumentType;
  return {
      {"snapshot",
       nullptr,
       {{"action", Text, true, "save, load, list, show or delete"},
        {"name", Text, false, "of the snapshot"},
        {"replace", Flag, false, "save: in place of an older snapshot of that name"},
        {"disks", Text, false, "save: external when you keep what writable disks without an overlay hold now"},
        kWaitArgument},
       Where::Loop,
       snapshot,
       "save the whole machine in the run's --snapshot-dir, or make it a saved one"},
  };
}

}  // namespace ia64::machine::control
