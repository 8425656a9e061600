// Lists and details of snapshots.
#include "machine/snapshot/report.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "machine/snapshot/checksum.h"
#include "machine/snapshot/state_sections.h"

namespace ia64::machine {

using Json = nlohmann::ordered_json;

namespace {

/// Of the memory file and the overlays, holes excluded.
u64 stored_bytes(const SnapshotDirectory& directory, const SnapshotManifest& m) {
  u64 bytes = m.state_bytes;
  std::vector<std::string> files = {snapshot_file::kMemory};
  for (const SnapshotMedium& medium : m.media)
    if (!medium.overlay.empty()) files.push_back(medium.overlay);
  struct stat st;
  for (const auto& file : files)
    if (stat(directory.path_of(m.name, file).c_str(), &st) == 0) bytes += static_cast<u64>(st.st_blocks) * 512;
  return bytes;
}

Result<Json> check_files(const SnapshotDirectory& directory, const SnapshotManifest& m) {
  const auto named = [&](std::string what) { return Error{ErrorKind::Invalid, fmt::format("snapshot '{}': {}", m.name, what)}; };
  auto state = directory.read(m.name, snapshot_file::kState);
  if (!state) return state.error();
  if (state->size() != m.state_bytes || checksum_text(*state) != m.state_checksum) return named("the state is damaged: its checksum is wrong");
  auto sections = StateSections::parse(std::move(*state));
  if (!sections) return named(sections.error().message);
  const auto fd = directory.open(m.name, snapshot_file::kMemory);
  if (!fd) return fd.error();
  auto memory = examine_memory_file(*fd);
  close(*fd);
  if (!memory) return named(memory.error().message);
  if (memory->size_bytes != m.memory.size_bytes || memory->checksum != m.memory.checksum) return named("the memory file is damaged: its checksum is wrong");
  Json out = Json::array();
  for (const auto& [name, bytes] : sections->list()) out.push_back({{"section", name}, {"size_bytes", bytes}});
  return out;
}

}  // namespace

Json snapshot_row(const SnapshotManifest& m) {
  return {{"name", m.name}, {"created", m.created}, {"guest", m.guest}, {"machine", m.board}, {"memory_bytes", m.memory_bytes}};
}

Result<Json> snapshot_list(const SnapshotDirectory& directory) {
  const auto names = directory.names();
  if (!names) return names.error();
  Json rows = Json::array();
  for (const auto& name : *names) {
    const auto manifest = directory.manifest(name);
    if (!manifest) {
      rows.push_back({{"name", name}, {"error", manifest.error().message}});
      continue;
    }
    rows.push_back(snapshot_row(*manifest));
    rows.back()["stored_bytes"] = stored_bytes(directory, *manifest);
  }
  return Json{{"directory", directory.path()}, {"snapshots", std::move(rows)}};
}

Result<Json> snapshot_details(const SnapshotDirectory& directory, const std::string& name, bool check) {
  const auto m = directory.manifest(name);
  if (!m) return m.error();
  Json out = snapshot_row(*m);
  out["processors"] = m->processors;
  out["processor"] = m->processor_model;
  out["uptime_ms"] = m->virtual_ns / 1'000'000;
  out["icount"] = m->counted != 0;
  out["stored_bytes"] = stored_bytes(directory, *m);
  if (!m->kernel.kernel_path.empty()) out["kernel"] = m->kernel.kernel_path;
  if (!m->nvram_path.empty()) out["nvram"] = m->nvram_path;
  Json media = Json::array();
  for (const SnapshotMedium& medium : m->media)
    media.push_back({{"statement", medium.statement}, {"content", medium.keep}, {"size_bytes", medium.size_bytes}, {"fingerprint", medium.fingerprint}});
  out["media"] = std::move(media);
  if (!check) return out;
  auto sections = check_files(directory, *m);
  if (!sections) return sections.error();
  out["checksums"] = "right";
  out["state"] = std::move(*sections);
  return out;
}

}  // namespace ia64::machine
