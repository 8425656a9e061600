// EFI device paths: building, checking, comparing and printing them. @source EFI 1.10, chapter 8
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/efi/guid.h"

namespace ia64::firmware {

/// A device path as bytes, without its end node while under construction. Builders append one node and return
/// *this, so a path reads as it prints: DevicePath().acpi(kPnp0a03, 0).pci(2, 0).scsi(0, 0).
class DevicePath {
 public:
  static constexpr u32 kPnp0a03 = 0x0a03'41d0, kPnp0501 = 0x0501'41d0;  ///< compressed EISA identifiers

  DevicePath() = default;
  /// Checks and copies a path from untrusted bytes: every node whole, an end-entire node within the span.
  /// @returns nothing when malformed
  static std::optional<DevicePath> parse(std::span<const u8> bytes);

  DevicePath& node(u8 type, u8 subtype, std::span<const u8> payload);
  DevicePath& acpi(u32 hid, u32 uid);
  DevicePath& pci(u8 device, u8 function);
  DevicePath& scsi(u16 pun, u16 lun);
  /// A GPT partition, identified by its unique GUID.
  DevicePath& hard_drive_gpt(u32 number, u64 start_lba, u64 lba_count, const Guid& unique);
  /// An MBR partition, identified by the disk signature.
  DevicePath& hard_drive_mbr(u32 number, u64 start_lba, u64 lba_count, u32 signature);
  DevicePath& cdrom(u32 boot_entry, u64 start_sector, u64 sector_count);
  DevicePath& uart(u64 baud);
  DevicePath& vendor_messaging(const Guid& g);
  DevicePath& vendor_hardware(const Guid& g);
  /// A file path node; `path` is ASCII/UTF-8 text with backslashes.
  DevicePath& file(std::string_view path);
  DevicePath& file16(std::u16string_view path);
  DevicePath& append(const DevicePath& other);

  bool empty() const { return nodes_.empty(); }
  /// The nodes without an end node.
  const std::vector<u8>& nodes() const { return nodes_; }
  /// The nodes followed by end-entire: what goes into guest memory.
  std::vector<u8> bytes() const;
  /// True when this is `whole`'s beginning, node by node; `rest` receives what follows.
  bool is_prefix_of(const DevicePath& whole, DevicePath& rest) const;
  /// True when the first node is a hard-drive node: a short-form path (EFI 1.10, 17.1.3).
  bool starts_with_hard_drive() const;
  /// First hard-drive node of the path together with its bytes, or nothing.
  std::optional<std::vector<u8>> hard_drive_node() const;
  /// All file path nodes joined with backslashes, or empty.
  std::u16string file_path() const;
  /// Text as boot managers print it, e.g. "Acpi(PNP0A03,0)/Pci(2|0)/Scsi(Pun0,Lun0)/HD(Part1,Sig...)".
  std::string to_text() const;

  bool operator==(const DevicePath&) const = default;

 private:
  std::vector<u8> nodes_;
};

}  // namespace ia64::firmware
