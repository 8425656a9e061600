// INQUIRY data of disks and DVDs.
#include "storage/scsi/inquiry.h"

#include <algorithm>
#include <string_view>

#include "base/endian.h"

namespace ia64::storage::scsi {

namespace {

constexpr u8 kPages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
constexpr size_t kDvdPages = 3;  // the first ones; the others belong to block commands

void put_text(std::vector<u8>& out, size_t at, size_t width, std::string_view text) {
  std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), width, u8{' '});
  std::copy_n(text.begin(), std::min(width, text.size()), out.begin() + static_cast<std::ptrdiff_t>(at));
}

std::vector<u8> page_of(u8 page, size_t body_bytes) {
  std::vector<u8> out(4 + body_bytes);
  out[1] = page;
  store_be<u16>(&out[2], static_cast<u16>(body_bytes));
  return out;
}

size_t page_count(const DiskIdentity& id) {
  return id.device_type == kTypeDvd ? kDvdPages : std::size(kPages);
}

std::vector<u8> supported_pages(const DiskIdentity& id) {
  auto out = page_of(0x00, page_count(id));
  std::copy_n(std::begin(kPages), page_count(id), out.begin() + 4);
  return out;
}

std::vector<u8> serial_number(const DiskIdentity& id) {
  auto out = page_of(0x80, std::max<size_t>(id.serial.size(), 4));
  put_text(out, 4, out.size() - 4, id.serial);
  return out;
}

/// FNV-1a; only has to differ between the disks of one guest.
u64 hash_of(std::string_view text) {
  u64 h = 0xcbf2'9ce4'8422'2325;
  for (const char c : text) h = (h ^ static_cast<u8>(c)) * 0x100'0000'01b3;
  return h;
}

std::vector<u8> device_identification(const DiskIdentity& id) {
  const size_t name_bytes = 24 + std::min<size_t>(id.serial.size(), 64);
  auto out = page_of(0x83, 4 + name_bytes + 4 + 8);
  out[4] = 0x02;  // ASCII
  out[5] = 0x01;  // T10 vendor identification of the logical unit
  out[7] = static_cast<u8>(name_bytes);
  put_text(out, 8, 8, id.vendor);
  put_text(out, 16, 16, id.product);
  put_text(out, 32, name_bytes - 24, id.serial);
  u8* naa = &out[8 + name_bytes];
  naa[0] = 0x01;  // binary
  naa[1] = 0x03;  // NAA
  naa[3] = 8;
  store_be<u64>(naa + 4,
                (hash_of(id.vendor + id.product + id.serial) >> 4) | (u64{3} << 60));  // locally assigned
  return out;
}

std::vector<u8> block_limits(const DiskIdentity& id) {
  auto out = page_of(0xb0, 0x3c);
  out[4] = 0x01;              // WSNZ: WRITE SAME with length 0 is refused
  out[5] = kMaxCompareAndWriteBlocks;
  store_be<u16>(&out[6], 8);  // optimal transfer granularity: 4 KiB
  store_be<u32>(&out[8], id.max_transfer_bytes / id.block_bytes);
  store_be<u32>(&out[20], kMaxUnmapBlocks);
  store_be<u32>(&out[24], kMaxUnmapDescriptors);
  store_be<u32>(&out[28], 8);  // optimal unmap granularity
  store_be<u64>(&out[36], kMaxWriteSameBlocks);
  return out;
}

std::vector<u8> block_characteristics() {
  auto out = page_of(0xb1, 0x3c);
  store_be<u16>(&out[4], 1);  // non-rotating
  return out;
}

std::vector<u8> logical_block_provisioning() {
  auto out = page_of(0xb2, 4);
  out[5] = 0xe0;  // UNMAP and both WRITE SAME with UNMAP; unmapped blocks need not read as zeroes
  out[6] = 0x02;  // thin
  return out;
}

}  // namespace

std::vector<u8> standard_inquiry(const DiskIdentity& id) {
  std::vector<u8> out(96);
  out[0] = id.device_type;
  out[1] = id.device_type == kTypeDvd ? 0x80 : 0;  // removable medium
  out[2] = 0x05;  // SPC-3
  out[3] = 0x02;  // response data format
  out[4] = static_cast<u8>(out.size() - 5);
  out[7] = 0x02;  // command queuing
  if (id.parallel_bus) {
    out[7] |= 0x30;  // wide and synchronous transfers
    out[56] = 0x0f;  // single and double transition clocking, QAS, information units @source SPC-3 6.4.2, table 87
  }
  put_text(out, 8, 8, id.vendor);
  put_text(out, 16, 16, id.product);
  put_text(out, 32, 4, id.revision);
  store_be<u16>(&out[58], 0x0060);  // SAM-3
  store_be<u16>(&out[60], 0x0300);  // SPC-3
  store_be<u16>(&out[62], id.device_type == kTypeDvd ? 0x0420 : 0x04c0);  // MMC-5 or SBC-3
  return out;
}

std::vector<u8> absent_unit_inquiry() {
  std::vector<u8> out(36);
  out[0] = 0x7f;
  out[2] = 0x05;
  out[3] = 0x02;
  out[4] = static_cast<u8>(out.size() - 5);
  return out;
}

std::optional<std::vector<u8>> vital_product_data(u8 page, const DiskIdentity& id) {
  const auto end = std::begin(kPages) + page_count(id);
  if (std::find(std::begin(kPages), end, page) == end) return std::nullopt;
  auto out = page == 0x00   ? supported_pages(id)
             : page == 0x80 ? serial_number(id)
             : page == 0x83 ? device_identification(id)
             : page == 0xb0 ? block_limits(id)
             : page == 0xb1 ? block_characteristics()
                            : logical_block_provisioning();
  out[0] = id.device_type;
  return out;
}

}  // namespace ia64::storage::scsi
