// Reading and writing what EFI interfaces pass around: strings, device paths, scratch buffers, files behind
// protocols.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firmware/efi/context.h"

namespace ia64::firmware {

/// A NUL-terminated UCS-2 string in the caller's memory. @returns nothing when unreadable or longer than
/// `max_chars`
std::optional<std::u16string> read_string16(GateCall& call, u64 at, size_t max_chars = 4096);

/// A device path in the caller's memory. @returns nothing when unreadable, malformed or unreasonably long
std::optional<DevicePath> read_device_path(GateCall& call, u64 at);
/// The device path installed on a handle; empty when it has none. Boot time only (pointers are physical).
DevicePath device_path_of(EfiContext& efi, EfiHandle handle);
/// The handle with `protocol` whose device path is the longest beginning of `path`; `rest` gets what follows
/// it. A short-form path that starts with a hard-drive node is completed by the partition it names. @returns
/// 0 when none
EfiHandle handle_for_path(EfiContext& efi, const DevicePath& path, const Guid& protocol, DevicePath& rest);

/// Pool memory that lives as long as the object. Check address() for 0.
class GuestScratch {
 public:
  GuestScratch(EfiContext& efi, u64 size_bytes);
  ~GuestScratch();
  GuestScratch(const GuestScratch&) = delete;
  GuestPhys address() const { return address_; }

 private:
  EfiContext& efi_;
  GuestPhys address_ = 0;
};

/// Reads a whole file through the Simple File System protocol on `device`, whoever implements it.
/// @returns NotFound, the protocol's own error, or OutOfResources for files above 256 MiB
EfiStatus read_file(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path,
                    std::vector<u8>& content);
/// True when the file can be opened.
bool file_exists(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path);
/// Names of a directory's entries; directories end with a backslash. "." is left out.
EfiStatus list_directory(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path,
                         std::vector<std::u16string>& names);
/// Reads a boot file through the Load File protocol on `device`.
EfiStatus load_file(EfiContext& efi, GateCall& call, EfiHandle device, const DevicePath& rest,
                    bool boot_policy, std::vector<u8>& content);

}  // namespace ia64::firmware
