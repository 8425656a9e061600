// What the SCSI host keeps about requests and task management in flight.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "devices/virtio/virtio_scsi.h"

namespace ia64::devices::virtio {

/// The target and logical unit of the 8-byte LUN field. @source VIRTIO 1.1, 5.6.6.1
struct VirtioScsi::Address {
  bool valid = false;
  u8 target = 0;
  u64 lun = 0;

  static Address decode(const u8* field) {
    Address a;
    a.valid = field[0] == 1 && field[1] < kTargets;
    a.target = field[1];
    // Flat or peripheral addressing in bytes 2-3; whatever is deeper names no unit of ours.
    a.lun = load_be<u16>(field + 2) & 0x3fff;
    if (load_le<u32>(field + 4)) a.lun |= u64{1} << 32;
    return a;
  }
};

struct VirtioScsi::Request {
  unsigned queue = 0;
  Chain chain;
  u64 sequence = 0;
  u64 tag = 0;
  Address address;
  u64 data_bytes = 0;   // what the driver offered in the command's direction
  u32 sense_bytes = 0;  // room for sense data behind the response head
  bool ended_by_manager = false;
  ScsiResponse manager_response = ScsiResponse::Aborted;
};

/// A task management function that waits for the tasks it ended.
struct VirtioScsi::Management {
  Chain chain;
  Address address;
  u64 tag = 0;
  u64 sequence = 0;  // it covers requests with a smaller one
  bool by_tag = false;
  bool whole_target = false;
  bool resets = false;

  bool covers(const Request& r) const {
    return r.sequence < sequence && r.address.target == address.target &&
           (whole_target || r.address.lun == address.lun) && (!by_tag || r.tag == tag);
  }
};

/// Bytes [from, to) of a list of segments as a scatter list.
inline std::vector<iovec> slice(const std::vector<Segment>& segments, u64 from, u64 to) {
  std::vector<iovec> out;
  out.reserve(segments.size());
  u64 at = 0;
  for (const auto& s : segments) {
    const u64 begin = std::max(from, at), end = std::min(to, at + s.size_bytes);
    if (begin < end) out.push_back({s.host + (begin - at), static_cast<size_t>(end - begin)});
    at += s.size_bytes;
  }
  return out;
}

inline u64 total(const std::vector<Segment>& segments) {
  u64 n = 0;
  for (const auto& s : segments) n += s.size_bytes;
  return n;
}

/// Copies the first bytes of the readable part. @returns bytes copied
inline u64 gather(const std::vector<Segment>& segments, std::span<u8> out) {
  u64 at = 0;
  for (const auto& s : segments) {
    const u64 n = std::min<u64>(s.size_bytes, out.size() - at);
    if (n) std::memcpy(out.data() + at, s.host, n);
    at += n;
  }
  return at;
}

/// Copies to the first bytes of the writable part and drops translated code there. @returns bytes copied
inline u64 scatter(const DmaView& dma, const std::vector<Segment>& segments, std::span<const u8> in) {
  u64 at = 0;
  for (const auto& s : segments) {
    const u64 n = std::min<u64>(s.size_bytes, in.size() - at);
    if (!n) continue;
    std::memcpy(s.host, in.data() + at, n);
    dma.written(s.phys, n);
    at += n;
  }
  return at;
}

}  // namespace ia64::devices::virtio
