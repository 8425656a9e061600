// Splits caller buffers into physical runs and byte ranges into blocks.
#include "firmware/media/guest_transfer.h"

#include <algorithm>

#include "base/bits.h"

namespace ia64::firmware {

namespace {

/// Physical runs behind a buffer. @returns false when part of it is not mapped or not RAM (then it is copied
/// instead)
bool physical_runs(GateCall& call, AddressSpace& bus, u64 va, u64 size, bool to_memory,
                   std::vector<GuestSpan>& runs) {
  while (size) {
    const u64 n = std::min<u64>(size, AddressSpace::kPageSize - va % AddressSpace::kPageSize);
    GuestPhys phys = 0;
    if (!call.cpu().translate(va, to_memory, phys) || !bus.ram_span(phys, n)) return false;
    GuestSpan* last = runs.empty() ? nullptr : &runs.back();
    if (last && last->phys + last->size_bytes == phys && bus.ram_span(last->phys, last->size_bytes + n)) {
      last->size_bytes += n;
    } else {
      runs.push_back({phys, n});
    }
    va += n, size -= n;
  }
  return true;
}

/// Through a host buffer, for ends of a range and odd memory.
EfiStatus copy(GateCall& call, BlockMedium& m, bool write, u64 offset, u64 size, u64 va) {
  constexpr u64 kChunk = 256 << 10;
  std::vector<u8> buffer(std::min(size, kChunk));
  for (u64 done = 0; done < size;) {
    const u64 n = std::min(kChunk, size - done);
    if (write) {
      if (!call.read(va + done, buffer.data(), n)) return efi::kInvalidParameter;
      if (const EfiStatus s = write_medium_bytes(m, offset + done, n, buffer.data()); efi_error(s)) return s;
    } else {
      if (const EfiStatus s = read_medium_bytes(m, offset + done, n, buffer.data()); efi_error(s)) return s;
      if (!call.write(va + done, buffer.data(), n)) return efi::kInvalidParameter;
    }
    done += n;
  }
  return efi::kSuccess;
}

EfiStatus transfer(GateCall& call, AddressSpace& bus, BlockMedium& m, bool write, u64 offset, u64 size,
                   u64 va) {
  if (offset > m.size_bytes() || size > m.size_bytes() - offset) return efi::kInvalidParameter;
  const u64 block = m.block_size();
  const u64 head = std::min(size, align_up(offset, block) - offset);
  const u64 body = align_down(size - head, block);
  const u64 tail = size - head - body;
  if (head)
    if (const EfiStatus s = copy(call, m, write, offset, head, va); efi_error(s)) return s;
  if (body) {
    std::vector<GuestSpan> runs;
    EfiStatus s;
    if (physical_runs(call, bus, va + head, body, !write, runs)) {
      const u64 lba = (offset + head) / block;
      s = write ? m.write_guest(lba, runs) : m.read_guest(lba, runs);
    } else {
      s = copy(call, m, write, offset + head, body, va + head);
    }
    if (efi_error(s)) return s;
  }
  return tail ? copy(call, m, write, offset + head + body, tail, va + head + body) : efi::kSuccess;
}

}  // namespace

EfiStatus read_to_caller(GateCall& call, AddressSpace& bus, BlockMedium& m, u64 offset, u64 size, u64 va) {
  return transfer(call, bus, m, false, offset, size, va);
}

EfiStatus write_from_caller(GateCall& call, AddressSpace& bus, BlockMedium& m, u64 offset, u64 size, u64 va) {
  return m.read_only() ? efi::kWriteProtected : transfer(call, bus, m, true, offset, size, va);
}

}  // namespace ia64::firmware
