// PE32+ images for IA-64: checking, layout and relocation.
#pragma once

#include <span>
#include <vector>

#include "firmware/efi/status.h"

namespace ia64::firmware {

/// Kinds of image by PE subsystem. @source Microsoft PE/COFF specification, 3.4.2
enum class ImageKind : u8 { Application, BootDriver, RuntimeDriver };

/// A checked image, laid out as it will lie in memory, still at its preferred base.
class PeImage {
 public:
  /// Checks headers and lays the sections out. Input is untrusted.
  /// @param status  Success, LoadError for a malformed image, Unsupported for one of another machine or kind
  static PeImage parse(std::span<const u8> file, EfiStatus& status);

  u64 size_bytes() const { return memory_.size(); }  ///< a multiple of 4 KiB
  ImageKind kind() const { return kind_; }
  /// Entry point as an offset: the address of a function descriptor {entry, gp}.
  u32 entry() const { return entry_; }
  u64 preferred_base() const { return preferred_base_; }
  bool relocatable() const { return relocation_size_ != 0; }

  /// The bytes for loading at `base`: DIR64 and IMM64 relocations applied. Remembers nothing; call again for
  /// another base.
  /// @returns an empty vector when a relocation is malformed
  std::vector<u8> relocated(u64 base) const;

 private:
  bool apply_block(std::vector<u8>& image, u32 page, std::span<const u8> entries, u64 delta) const;

  std::vector<u8> memory_;
  ImageKind kind_ = ImageKind::Application;
  u32 entry_ = 0;
  u64 preferred_base_ = 0;
  u32 relocation_rva_ = 0, relocation_size_ = 0;
};

/// Adds `delta` to the 64-bit immediate of the `movl` (slots 1 and 2) of a bundle. @source SDM vol. 3, format
/// X2
void relocate_movl(u8* bundle, u64 delta);

}  // namespace ia64::firmware
