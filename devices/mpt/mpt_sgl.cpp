// Scatter/gather lists: simple elements and chains, on guard against the driver.
#include "devices/mpt/mpt_sgl.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::devices::mpt {

namespace {

constexpr u32 kSimpleLengthMask = 0x00ff'ffff;

/// One element of either kind, as read.
struct Element {
  u8 flags = 0;
  u32 head = 0;  // length, and the next chain's offset in a chain element
  u64 address = 0;
  unsigned size_bytes = 0;  // of the element itself
};

bool read_element(std::span<const u8> list, size_t at, Element& e) {
  if (at + 8 > list.size()) return false;
  e.head = load_le<u32>(&list[at]);
  e.flags = static_cast<u8>(e.head >> 24);
  e.size_bytes = e.flags & kSge64Bit ? 12 : 8;
  if (at + e.size_bytes > list.size()) return false;
  e.address = e.flags & kSge64Bit ? load_le<u64>(&list[at + 4]) : load_le<u32>(&list[at + 4]);
  return !(e.flags & kSgeLocalAddress);  // addresses inside the chip are not the host's business
}

/// The list that a chain element leads to. A copy: the driver may change the original under us.
bool load_chain(const DmaView& dma, const Element& e, std::vector<u8>& list, size_t& chain_at) {
  const u32 size = e.head & 0xffff;
  const u8* const host = size >= 8 ? dma.ram_span(e.address, size) : nullptr;
  if (!host) return false;
  list.assign(host, host + size);
  chain_at = (e.head >> 16 & 0xff) * size_t{4};
  return true;
}

bool add_segment(const DmaView& dma, const Element& e, u64& wanted, std::vector<Segment>& out) {
  const u64 size = std::min<u64>(e.head & kSimpleLengthMask, wanted);
  if (size == 0) return true;
  if (out.size() == kMaxSegments) return false;
  u8* const host = dma.ram_span(e.address, size);
  if (!host) return false;
  out.push_back({e.address, size, host});
  wanted -= size;
  return true;
}

}  // namespace

bool walk_sgl(const DmaView& dma, std::span<const u8> frame, unsigned start, unsigned chain_start, u64 wanted,
              std::vector<Segment>& out) {
  out.clear();
  std::vector<u8> chained;
  std::span<const u8> list = frame;
  size_t at = start, chain_at = chain_start;
  unsigned depth = 0, elements = 0;
  while (wanted) {
    Element e;
    if (++elements > 2 * kMaxSegments || !read_element(list, at, e)) return false;
    switch (e.flags & kSgeTypeMask) {
      case kSgeChain:
        if (++depth > kMaxChainDepth || !load_chain(dma, e, chained, chain_at)) return false;
        list = chained;
        at = 0;
        break;
      case kSgeSimple:
        if (!add_segment(dma, e, wanted, out)) return false;
        if (e.flags & kSgeEndOfList) return true;
        at += e.size_bytes;
        if (!(e.flags & kSgeLast)) break;
        if (!chain_at) return true;
        at = chain_at;
        break;
      default: return false;  // transaction context elements are for targets
    }
  }
  return true;
}

}  // namespace ia64::devices::mpt
