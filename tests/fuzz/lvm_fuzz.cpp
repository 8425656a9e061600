// Hostile LVM disks: labels, headers, metadata areas and text with fields changed and checksums made right again; opened and used.
#include <cstring>
#include <string>
#include <vector>

#include "base/endian.h"
#include "storage/block_device.h"
#include "storage/lvm/lv_store.h"
#include "storage/stores/memory_store.h"
#include "tests/fuzz/fuzz.h"

namespace ia64::fuzz {

namespace {

using namespace storage;

constexpr u64 kSector = 512, kDiskBytes = 256 * 1024, kArea = 4096, kAreaBytes = 16 * 1024;

u32 checksum(const u8* bytes, size_t count) {
  u32 crc = 0xf597'a6cf;
  for (; count; count--, bytes++) {
    crc ^= *bytes;
    for (int i = 0; i < 8; i++) crc = crc >> 1 ^ (crc & 1 ? 0xedb8'8320 : 0);
  }
  return crc;
}

/// A disk that ends the run when asked for anything outside it.
class StrictStore final : public BlockStore {
 public:
  explicit StrictStore(std::unique_ptr<BlockStore> below) : below_(std::move(below)) {}
  u64 size_bytes() const override { return below_->size_bytes(); }
  bool read_only() const override { return false; }
  std::string describe() const override { return "strict"; }
  void submit(BlockRequest request) override {
    check(request.offset_bytes <= size_bytes() && request.size_bytes <= size_bytes() - request.offset_bytes, "a request outside the disk");
    u64 listed = 0;
    for (const auto& v : request.iov) listed += v.iov_len;
    const bool moves = request.op == BlockOp::Read || request.op == BlockOp::Write;
    check(!moves || listed == request.size_bytes, "a list of another length than the request");
    below_->submit(std::move(request));
  }

 private:
  const std::unique_ptr<BlockStore> below_;
};

struct Disk {
  std::vector<u8> bytes = std::vector<u8>(kDiskBytes);
  u8* at(u64 offset) { return bytes.data() + offset; }
};

std::string number(Random& random, u64 usual) {
  return std::to_string(random.one_in(8) ? random.awkward() : usual);
}

std::string group_text(Random& random) {
  std::string t = "vg {\nid = \"x\"\nextent_size = " + number(random, 8) + "\nphysical_volumes {\n";
  for (const char c : {'A', 'B'})
    t += std::string("pv") + c + " { id = \"" + std::string(32, c) + "\" pe_start = " + number(random, 64) + " pe_count = 56 }\n";
  t += "}\nlogical_volumes {\nlv {\nsegment_count = ";
  const u64 segments = 1 + random.below(4);
  t += number(random, segments) + "\n";
  u64 start = 0;
  for (u64 n = 1; n <= segments; n++) {
    const u64 stripes = 1 + random.below(2), extents = stripes * (1 + random.below(6));
    t += "segment" + std::to_string(n) + " { start_extent = " + number(random, start) + " extent_count = " + number(random, extents) + " type = \"striped\" stripe_count = " +
         number(random, stripes) + " stripe_size = " + number(random, random.one_in(4) ? 1 + random.below(40) : u64{1} << random.below(4)) + " stripes = [";
    for (u64 s = 0; s < stripes; s++) t += std::string(s ? ", " : "") + "\"pv" + (random.one_in(2) ? "A" : "B") + "\", " + number(random, random.one_in(3) ? 56 - std::min<u64>(56, extents / stripes) : random.below(57));
    t += "] }\n";
    start += extents;
  }
  t += "}\n}\n}\n";
  for (u64 n = random.one_in(3) ? random.below(5) : 0; n; n--) {
    const size_t at = random.below(t.size());
    switch (random.below(3)) {
      case 0: t[at] = static_cast<char>(random.next()); break;
      case 1: t.erase(at, random.below(30)); break;
      default: t.insert(at, t.substr(random.below(t.size()), random.below(60)));
    }
  }
  return t;
}

void scribble(Random& random, u8* from, size_t bytes) {
  for (u64 n = random.one_in(3) ? random.below(4) : 0; n; n--) {
    u8 value[8];
    store_le<u64>(value, random.awkward());
    const size_t size = random.pick({1, 4, 8}), at = random.below(bytes - 8) & ~(random.one_in(4) ? 0u : 3u);
    std::memcpy(from + at, value, size);
  }
}

/// Label in sector 1, metadata area at 4 KiB. @source LVM2 on-disk format
Disk make_disk(Random& random, char name, const std::string& text) {
  Disk d;
  u8* label = d.at(kSector);
  std::memcpy(label, "LABELONE", 8);
  store_le<u64>(label + 8, 1);
  store_le<u32>(label + 20, 32);
  std::memcpy(label + 24, "LVM2 001", 8);
  std::memset(label + 32, name, 32);
  store_le<u64>(label + 64, kDiskBytes);
  store_le<u64>(label + 72, 64 * kSector);  // data area, then the end of the list, then the metadata area
  store_le<u64>(label + 104, kArea);
  store_le<u64>(label + 112, kAreaBytes);
  scribble(random, label + 32, 140);
  if (!random.one_in(20)) store_le<u32>(label + 16, checksum(label + 20, kSector - 20));

  u8* area = d.at(kArea);
  std::memcpy(area + 4, " LVM2 x[5A%r0N*>", 16);
  store_le<u32>(area + 20, 1);
  store_le<u64>(area + 24, kArea);
  store_le<u64>(area + 32, kAreaBytes);
  const u64 offset = random.one_in(3) ? kAreaBytes - kSector * (1 + random.below(3)) : kSector, size = std::min<u64>(text.size(), kAreaBytes - kSector);
  store_le<u64>(area + 40, offset);
  store_le<u64>(area + 48, size);
  for (u64 i = 0; i < size; i++) {  // the ring behind the header
    const u64 at = offset + i;
    area[at < kAreaBytes ? at : at - kAreaBytes + kSector] = static_cast<u8>(text[i]);
  }
  store_le<u32>(area + 56, checksum(reinterpret_cast<const u8*>(text.data()), size));
  scribble(random, area + 20, 60);
  if (!random.one_in(20)) store_le<u32>(area, checksum(area + 4, kSector - 4));
  return d;
}

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  const std::string text = group_text(random);
  std::vector<std::unique_ptr<BlockStore>> volumes;
  for (const char name : {'A', 'B'}) {
    Disk d = make_disk(random, name, text);
    auto memory = std::make_unique<MemoryStore>(kDiskBytes);
    BlockRequest fill{.op = BlockOp::Write, .offset_bytes = 0, .size_bytes = kDiskBytes, .iov = {{d.bytes.data(), kDiskBytes}}, .done = [](BlockStatus) {}};
    memory->submit(std::move(fill));
    volumes.push_back(std::make_unique<StrictStore>(std::move(memory)));
    if (random.one_in(10)) break;
  }
  auto store = LvStore::open("vg/lv", std::move(volumes));
  if (!store) return check(!store.error().message.empty(), "a refusal without a message");
  BlockDevice device(std::move(*store));
  std::vector<u8> out(16384), back(16384);
  for (u64 n = 20; n && device.block_count(); n--) {
    const u64 at = random.below(device.block_count()) * kSector, size = std::min<u64>(kSector * (1 + random.below(32)), device.size_bytes() - at);
    for (auto& b : out) b = static_cast<u8>(random.next());
    const bool wrote = device.transfer(BlockOp::Write, at, out.data(), size) == BlockStatus::Ok;
    const bool read = device.transfer(BlockOp::Read, at, back.data(), size) == BlockStatus::Ok;
    check(wrote && read, "a transfer inside the volume failed");
    device.transfer(BlockOp::Flush, 0, nullptr, 0);
  }
}

}  // namespace ia64::fuzz
