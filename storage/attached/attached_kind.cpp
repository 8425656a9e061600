// Whether an attached device is what its resource statement calls it.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "storage/attached/attached_target.h"

namespace ia64::storage::scsi {

namespace {

struct Kind {
  std::string_view device;
  std::array<u8, 3> types;  // peripheral device types; filled up with the first
};
// @source SPC-4, table of peripheral device types
constexpr Kind kKinds[] = {{"tape", {1, 1, 1}}, {"changer", {8, 8, 8}}, {"burner", {5, 4, 7}}};

std::string type_name(u8 type) {
  switch (type) {
    case 0: return "a disk";
    case 1: return "a tape";
    case 3: return "a processor";
    case 4: return "a write-once disc drive";
    case 5: return "a CD or DVD drive";
    case 7: return "an optical disk";
    case 8: return "a media changer";
  }
  return fmt::format("of peripheral type {:#x}", type);
}

}  // namespace

ia64::Result<void> check_attached_kind(std::string_view device, const std::string& location, PassThrough& host) {
  constexpr u8 kInquiry = 0x12, kTypeMask = 0x1f, kDisk = 0;
  u8 data[36] = {};
  const u8 cdb[6] = {kInquiry, 0, 0, 0, sizeof data, 0};
  const auto answer = host.execute({.cdb = cdb, .data = data, .direction = PassedCommand::Direction::In});
  if (answer.lost || answer.status != 0) return Error{ErrorKind::Io, fmt::format("{}: the device does not answer INQUIRY", location)};
  const u8 type = data[0] & kTypeMask;
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.device == device; });
  if (kind != std::end(kKinds) && std::ranges::find(kind->types, type) != kind->types.end()) return {};
  if (type == kDisk && !location.starts_with("iscsi://"))
    return Error{ErrorKind::Unsupported, fmt::format("{}: this is a disk of the host, not a {}: give it as disk:...:disk:PATH", location, device)};
  LOG(Warn, "{}: attached as a {}, but the device says that it is {}", location, device, type_name(type));
  return {};
}

}  // namespace ia64::storage::scsi
