// From a manifest to the configuration of a machine.
#include "machine/snapshot/restore.h"

namespace ia64::machine {

namespace {

Result<std::vector<ResourceStatement>> saved_statements(const SnapshotManifest& manifest) {
  std::vector<ResourceStatement> out;
  for (const SnapshotMedium& medium : manifest.media) {
    auto statement = parse_resource_statement(medium.statement);
    if (!statement) return statement.error();
    out.push_back(std::move(*statement));
  }
  return out;
}

}  // namespace

Result<void> configure_for_restore(const SnapshotDirectory& directory, const std::string& name, const GivenOptions& given, MachineConfig& config) {
  auto manifest = directory.manifest(name);
  if (!manifest) return manifest.error();
  config.restored = true;
  if (!given.machine) config.machine = manifest->board;
  if (!given.name) config.name = manifest->guest;
  if (!given.memory) config.memory_bytes = manifest->memory_bytes;
  if (!given.processors) config.cpus = manifest->processors;
  if (!given.kernel) config.kernel = manifest->kernel;
  if (given.storage) return {};
  auto statements = saved_statements(*manifest);
  if (!statements) return statements.error();
  config.storage = std::move(*statements);
  return allocate_addresses(config.storage);
}

}  // namespace ia64::machine
