// What a snapshot keeps of disks and discs.
#pragma once

#include "machine/snapshot/directory.h"

namespace ia64::storage {
class BlockStore;
}

namespace ia64::machine {

class StorageBays;

/// 16 hexadecimal digits over the size and 64 samples of a medium: its first and last 64 KiB and 62 blocks of 4 KiB spread
/// evenly. Tells another medium from this one; a change between the samples is not seen.
Result<std::string> medium_fingerprint(storage::BlockStore& store);

/// Describes adapters and devices and saves overlays. Nothing is in flight.
/// @param external  writable disks without an overlay are the user's affair; else they are refused with a message that says what to do
Result<void> save_media(const StorageBays& bays, bool external, PartialSnapshot& snapshot, SnapshotManifest& manifest);

/// Whether a machine has the devices and media that were saved. @returns Unsupported naming the first difference
Result<void> check_media(const SnapshotManifest& saved, const StorageBays& bays);

/// Adapters and discs as they were; with `overlays` their content too, where a machine that ran is replaced.
Result<void> load_media(const SnapshotDirectory& directory, const SnapshotManifest& saved, StorageBays& bays, bool overlays);

}  // namespace ia64::machine
