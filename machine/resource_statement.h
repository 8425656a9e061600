// Storage resource statements of Integrity VM: `disk:scsi|avio_stor:[bus,slot,target]:file:PATH`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/int_types.h"

namespace ia64::machine {

/// Address of a virtual storage device; omitted numbers are allocated by allocate_addresses().
struct DeviceAddress {
  std::optional<u8> bus, slot, target;
};

/// One parsed statement. Only syntax and value ranges are checked here; media are opened later.
struct ResourceStatement {
  std::string device;    ///< "disk" or "dvd"
  std::string adapter;   ///< "scsi" or "avio_stor" (the alias "aviostor" is rewritten)
  DeviceAddress address;
  std::string storage;   ///< "disk", "lv", "file", "null" or the first word of a chain of stores
  std::string location;  ///< path; may contain colons
  std::string text;      ///< the statement as written, for messages
  std::string overlay_copy = {};  ///< of a saved machine: what the overlay begins with when the store is opened
};

/// Parses `<device>:<adapter>:[<bus>,<slot>,<target>]:<storage>:<location>`.
/// @returns Invalid or Unsupported with a line that names the statement and what is wrong
/// @source integrity-vm reference, 2.1 (M43 p.101-103)
Result<ResourceStatement> parse_resource_statement(std::string_view text);

/// The statement of these fields, its address as far as it is known.
std::string format_statement(const ResourceStatement& s);

/// Parses `bus,slot,target`. @returns Invalid naming the number
Result<DeviceAddress> parse_device_address(std::string_view text);

/// Parses `hba:<adapter>:<bus>,<slot>`, which names a whole adapter. @source integrity-vm reference, 2.6
Result<ResourceStatement> parse_adapter_statement(std::string_view text);

/// Fills omitted bus, slot and target numbers. Refuses a target given twice, two kinds of adapter in one slot, a reserved
/// slot, and more devices than a guest may have: 30 `scsi`, 128 `avio_stor`, and 30 file backing stores over both, which are
/// devices whose storage is `file`. Kinds of store that Integrity VM does not know (qcow2, overlay and others) do not count.
/// New adapters go to bus 0 from slot 2 on, targets count from 0, as Integrity VM was seen to choose; a full adapter is
/// followed by another.
/// @source integrity-vm reference, 1.1, 2.2 and 2.3
Result<void> allocate_addresses(std::vector<ResourceStatement>& statements);

}  // namespace ia64::machine
