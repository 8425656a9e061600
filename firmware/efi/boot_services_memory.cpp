// Boot services: task priority, pages, pool, memory map, plain memory operations.
#include <algorithm>

#include "base/endian.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/crc32.h"

namespace ia64::firmware {
namespace {

constexpr u64 kChunk = 64 << 10;
constexpr u64 kMaxTransfer = u64{1} << 40;  // more than any guest's RAM: a wild length

EfiStatus raise_tpl(EfiContext& efi, GateCall& call) {
  // The result is the old level itself, not a status.
  return efi.events.set_tpl(std::clamp(call.arg(0), efi.events.tpl(), efi::kTplHighLevel));
}

EfiStatus restore_tpl(EfiContext& efi, GateCall& call) {
  efi.events.set_tpl(std::min(call.arg(0), efi.events.tpl()));
  return efi::kSuccess;
}

EfiStatus allocate_pages(EfiContext& efi, GateCall& call) {
  const u64 how = call.arg(0);
  if (how > 2) return efi::kInvalidParameter;
  u64 address = 0;
  if (!call.read_value(call.arg(3), address)) return efi::kInvalidParameter;
  const auto s = efi.memory.allocate(static_cast<MemoryMap::Allocate>(how),
                                     static_cast<MemoryType>(call.arg(1)), call.arg(2), address);
  if (efi_error(s)) return s;
  return call.write_value(call.arg(3), address) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus get_memory_map(EfiContext& efi, GateCall& call) {
  const u64 size_at = call.arg(0), map_at = call.arg(1), key_at = call.arg(2), bytes_at = call.arg(3),
            version_at = call.arg(4);
  u64 room = 0;
  if (size_at == 0 || !call.read_value(size_at, room)) return efi::kInvalidParameter;
  const auto image = memory_map_image(efi.memory);
  bool ok = call.write_value(size_at, u64{image.size()});
  if (bytes_at) ok &= call.write_value(bytes_at, kMapDescriptorBytes);
  if (version_at) ok &= call.write_value(version_at, u32{1});
  if (room < image.size()) return ok ? efi::kBufferTooSmall : efi::kInvalidParameter;
  if (map_at == 0) return efi::kInvalidParameter;
  if (key_at) ok &= call.write_value(key_at, efi.memory.key());
  ok &= call.write(map_at, image.data(), image.size());
  return ok ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus allocate_pool(EfiContext& efi, GateCall& call) {
  GuestPhys address = 0;
  const auto s = efi.pool.allocate(static_cast<MemoryType>(call.arg(0)), call.arg(1), address);
  if (efi_error(s)) return s;
  return call.write_value(call.arg(2), address) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus copy_mem(GateCall& call) {
  const u64 to = call.arg(0), from = call.arg(1), size_bytes = call.arg(2);
  if (size_bytes > kMaxTransfer) return efi::kInvalidParameter;
  std::vector<u8> buffer(std::min(size_bytes, kChunk));
  // Overlap counts as in memmove: copy from the end when the target lies above the source.
  const bool backwards = to > from;
  for (u64 done = 0; done < size_bytes;) {
    const u64 n = std::min(size_bytes - done, kChunk);
    const u64 at = backwards ? size_bytes - done - n : done;
    if (!call.read(from + at, buffer.data(), n) || !call.write(to + at, buffer.data(), n))
      return efi::kInvalidParameter;
    done += n;
  }
  return efi::kSuccess;
}

EfiStatus set_mem(GateCall& call) {
  const u64 to = call.arg(0), size_bytes = call.arg(1);
  if (size_bytes > kMaxTransfer) return efi::kInvalidParameter;
  const std::vector<u8> buffer(std::min(size_bytes, kChunk), static_cast<u8>(call.arg(2)));
  for (u64 done = 0; done < size_bytes; done += kChunk)
    if (!call.write(to + done, buffer.data(), std::min(size_bytes - done, kChunk)))
      return efi::kInvalidParameter;
  return efi::kSuccess;
}

EfiStatus calculate_crc32(GateCall& call) {
  const u64 from = call.arg(0), size_bytes = call.arg(1), out = call.arg(2);
  if (from == 0 || size_bytes == 0 || out == 0 || size_bytes > kMaxTransfer) return efi::kInvalidParameter;
  std::vector<u8> buffer(std::min(size_bytes, kChunk));
  u32 crc = 0;
  for (u64 done = 0; done < size_bytes; done += kChunk) {
    const u64 n = std::min(size_bytes - done, kChunk);
    if (!call.read(from + done, buffer.data(), n)) return efi::kInvalidParameter;
    crc = crc32({buffer.data(), n}, crc);
  }
  return call.write_value(out, crc) ? efi::kSuccess : efi::kInvalidParameter;
}

}  // namespace

std::vector<u8> memory_map_image(const MemoryMap& map) {
  const auto descriptors = map.descriptors();
  std::vector<u8> image(descriptors.size() * kMapDescriptorBytes);
  u8* at = image.data();
  for (const auto& d : descriptors) {
    store_le(at, static_cast<u32>(d.type));
    store_le(at + 8, d.base);
    store_le(at + 24, d.pages);
    store_le(at + 32, d.attributes);
    at += kMapDescriptorBytes;
  }
  return image;
}

std::vector<EfiServiceRow> memory_services(EfiContext& efi) {
  EfiContext* e = &efi;
  return {
      {"RaiseTPL", [e](GateCall& c) { return raise_tpl(*e, c); }},
      {"RestoreTPL", [e](GateCall& c) { return restore_tpl(*e, c); }},
      {"AllocatePages", [e](GateCall& c) { return allocate_pages(*e, c); }},
      {"FreePages", [e](GateCall& c) { return e->memory.free(c.arg(0), c.arg(1)); }},
      {"GetMemoryMap", [e](GateCall& c) { return get_memory_map(*e, c); }},
      {"AllocatePool", [e](GateCall& c) { return allocate_pool(*e, c); }},
      {"FreePool", [e](GateCall& c) { return e->pool.free(c.arg(0)); }},
      {"CopyMem", copy_mem},
      {"SetMem", set_mem},
      {"CalculateCrc32", calculate_crc32},
  };
}

}  // namespace ia64::firmware
