// Snapshots as the control socket and `ivm snapshot` show them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "machine/snapshot/directory.h"

namespace ia64::machine {

/// One line of a list: name, age, guest, what it takes on disk.
nlohmann::ordered_json snapshot_row(const SnapshotManifest& manifest);
/// All snapshots of a directory; one that cannot be read has a row that says so.
Result<nlohmann::ordered_json> snapshot_list(const SnapshotDirectory& directory);
/// Everything a manifest says. @param check  reads all files and compares their checksums
Result<nlohmann::ordered_json> snapshot_details(const SnapshotDirectory& directory, const std::string& name, bool check);

}  // namespace ia64::machine
