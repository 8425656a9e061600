// ivm snapshot: looks at snapshots and removes them, without a guest.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "machine/control/protocol.h"
#include "machine/control/text_report.h"
#include "machine/snapshot/report.h"
#include "tools/cli/command.h"

namespace ia64::cli {
namespace {

using machine::SnapshotDirectory;

struct SnapshotArguments {
  std::string directory, name;
  bool json = false, check = false;
};

int show(const SnapshotArguments& a, const Result<nlohmann::ordered_json>& result) {
  if (!result) return usage_error(result.error().message.c_str());
  const std::string text = a.json ? machine::control::to_text(*result) + "\n" : machine::control::report_text(*result);
  return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}

int remove(const SnapshotArguments& a) {
  const auto ok = SnapshotDirectory(a.directory).remove(a.name);
  return ok ? 0 : usage_error(ok.error().message.c_str());
}

}  // namespace

Run add_snapshot(CLI::App& command) {
  auto a = std::make_shared<SnapshotArguments>();
  command.require_subcommand(1);
  const auto action = [&](const char* name, const char* help, bool named) {
    CLI::App* const sub = command.add_subcommand(name, help);
    sub->add_option("directory", a->directory, "where the snapshots are")->required();
    if (named) sub->add_option("name", a->name, "of the snapshot")->required();
    return sub;
  };
  CLI::App* const list = action("list", "names, ages and sizes", false);
  CLI::App* const details = action("show", "what a snapshot is of: memory, storage, kernel", true);
  action("delete", "remove a snapshot; guests that run from it go on", true);
  for (CLI::App* sub : {list, details}) sub->add_flag("--json", a->json, "print JSON");
  details->add_flag("--check", a->check, "read all files and compare their checksums");
  command.footer("Snapshots are saved and loaded by the command 'snapshot' of a running guest (ivm monitor), and a run starts from\n"
                 "one by ivm run --snapshot-dir DIR --restore NAME.");
  return [a, list, details] {
    const SnapshotDirectory directory(a->directory);
    if (list->parsed()) return show(*a, snapshot_list(directory));
    if (details->parsed()) return show(*a, snapshot_details(directory, a->name, a->check));
    return remove(*a);
  };
}

}  // namespace ia64::cli
