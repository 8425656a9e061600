// What a snapshot is of, in words that people and programs read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"
#include "machine/config.h"
#include "machine/snapshot/memory_file.h"

namespace ia64::machine {

/// One storage device of the saved machine.
struct SnapshotMedium {
  std::string statement;    ///< with its address
  std::string keep;         ///< overlay, read-only, external, empty or attached: what became of its content
  std::string current;      ///< of a DVD: what is in the drive, as the end of a statement
  u64 size_bytes = 0;
  std::string fingerprint;  ///< of the content, below the overlay if there is one; empty without a medium
  std::string overlay;      ///< name of the file with the content of the overlay
};

/// A storage adapter, which may have lost its devices.
struct SnapshotAdapter {
  u8 bus = 0, slot = 0;
  std::string kind, next_kind;
};

struct SnapshotManifest {
  static constexpr u32 kFormat = 2;

  std::string name;
  std::string created;      ///< UTC, 2026-11-22T07:31:00Z
  std::string board;        ///< with its version
  std::string guest;
  u64 memory_bytes = 0;
  unsigned processors = 0;
  std::string processor_model;
  u64 virtual_ns = 0;
  unsigned counted = 0;     ///< 1: its time was counted (--icount), else 0
  std::string nvram_path;
  KernelBoot kernel;        ///< starts when the restored guest is reset
  std::vector<SnapshotAdapter> adapters;
  std::vector<SnapshotMedium> media;
  MemoryFile memory;
  u64 state_bytes = 0;
  std::string state_checksum;
};

/// The text of the manifest file.
std::string to_text(const SnapshotManifest& manifest);
/// @returns Invalid naming the member that is missing or of another type, Unsupported for another format
Result<SnapshotManifest> parse_manifest(std::string_view text);

}  // namespace ia64::machine
