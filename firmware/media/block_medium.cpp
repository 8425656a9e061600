// Byte-wise access to block media.
#include "firmware/media/block_medium.h"

#include <algorithm>
#include <cstring>

namespace ia64::firmware {

namespace {

bool in_range(const BlockMedium& m, u64 offset, u64 size) {
  return offset <= m.size_bytes() && size <= m.size_bytes() - offset;
}

/// Calls `partial(lba, offset in block, n, done)` or `whole(lba, blocks, done)` for consecutive pieces of a
/// byte range.
template <class Partial, class Whole>
EfiStatus for_each_piece(u32 block, u64 offset, u64 size, Partial partial, Whole whole) {
  for (u64 done = 0; done < size;) {
    const u64 at = offset + done, within = at % block, left = size - done;
    u64 n;
    EfiStatus s;
    if (within == 0 && left >= block) {
      n = left / block * block;
      s = whole(at / block, n / block, done);
    } else {
      n = std::min<u64>(block - within, left);
      s = partial(at / block, within, n, done);
    }
    if (efi_error(s)) return s;
    done += n;
  }
  return efi::kSuccess;
}

}  // namespace

EfiStatus read_medium_bytes(BlockMedium& m, u64 offset, size_t size, void* out) {
  if (!in_range(m, offset, size)) return efi::kInvalidParameter;
  auto* p = static_cast<u8*>(out);
  std::vector<u8> block(m.block_size());
  return for_each_piece(
      m.block_size(), offset, size,
      [&](u64 lba, u64 within, u64 n, u64 done) {
        const EfiStatus s = m.read(lba, 1, block.data());
        if (!efi_error(s)) std::memcpy(p + done, block.data() + within, n);
        return s;
      },
      [&](u64 lba, u64 blocks, u64 done) { return m.read(lba, blocks, p + done); });
}

EfiStatus write_medium_bytes(BlockMedium& m, u64 offset, size_t size, const void* in) {
  if (!in_range(m, offset, size)) return efi::kInvalidParameter;
  if (m.read_only()) return efi::kWriteProtected;
  const auto* p = static_cast<const u8*>(in);
  std::vector<u8> block(m.block_size());
  return for_each_piece(
      m.block_size(), offset, size,
      [&](u64 lba, u64 within, u64 n, u64 done) {
        const EfiStatus s = m.read(lba, 1, block.data());
        if (efi_error(s)) return s;
        std::memcpy(block.data() + within, p + done, n);
        return m.write(lba, 1, block.data());
      },
      [&](u64 lba, u64 blocks, u64 done) { return m.write(lba, blocks, p + done); });
}

}  // namespace ia64::firmware
