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

bool same_address(const ResourceStatement& a, const ResourceStatement& b) {
  return a.address.bus == b.address.bus && a.address.slot == b.address.slot && a.address.target == b.address.target;
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
  if (manifest->counted) config.icount = true;
  auto saved = saved_statements(*manifest);
  if (!saved) return saved.error();
  if (!given.storage) {
    config.storage = *saved;
    if (auto ok = allocate_addresses(config.storage); !ok) return ok;
  }
  for (ResourceStatement& s : config.storage)
    for (size_t n = 0; n < saved->size(); n++)
      if (same_address(s, (*saved)[n]) && !manifest->media[n].overlay.empty()) s.overlay_copy = directory.path_of(name, manifest->media[n].overlay);
  return {};
}

}  // namespace ia64::machine
