// Damaged images: qcow2, VHD and overlay files and LVM metadata with bytes changed, opened, read and written.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/endian.h"
#include "storage/block_device.h"
#include "storage/formats/overlay_image.h"
#include "storage/formats/qcow2_image.h"
#include "storage/formats/vhd_image.h"
#include "storage/lvm/lvm_metadata.h"
#include "storage/store_registry.h"
#include "tests/fuzz/fuzz.h"

namespace ia64::fuzz {

namespace {

using namespace storage;

/// A file name of our own that goes away.
struct Scratch {
  std::string path = "ivm-fuzz-XXXXXX";
  Scratch() {
    close(mkstemp(path.data()));
    unlink(path.c_str());
  }
  ~Scratch() { unlink(path.c_str()); }
};

void damage(const std::string& path, Random& random) {
  const int fd = open(path.c_str(), O_RDWR);
  const off_t size = lseek(fd, 0, SEEK_END);
  for (u64 n = random.below(12); n; n--) {
    u8 bytes[8];
    store_be<u64>(bytes, random.awkward());
    const u64 reach = random.one_in(3) ? static_cast<u64>(size) : std::min<u64>(static_cast<u64>(size), random.one_in(2) ? 128 : 2048);
    if (pwrite(fd, bytes, random.pick({1, 2, 4, 8}), static_cast<off_t>(random.below(reach ? reach : 1))) < 0) break;
  }
  if (random.one_in(8) && ftruncate(fd, static_cast<off_t>(random.below(static_cast<u64>(size) + 1))) != 0) close(-1);
  close(fd);
}

void use(const std::string& spec, Random& random) {
  auto store = open_store(spec);
  if (!store) return check(!store.error().message.empty() && store.error().message.find('\n') == std::string::npos, "a refusal is one line");
  if ((*store)->size_bytes() > u64{1} << 40) return;  // sparse monsters are legal and slow
  BlockDevice device(std::move(*store));
  std::vector<u8> buffer(16384, 0x42);
  for (u64 n = 20; n; n--) {
    const u64 blocks = device.block_count();
    if (!blocks) return;
    const u64 at = (random.one_in(2) ? random.below(blocks) : random.below(std::min<u64>(blocks, 512))) * 512;
    const u64 size = std::min<u64>(512 * (1 + random.below(32)), device.size_bytes() - at);
    switch (random.below(5)) {
      case 0: device.transfer(BlockOp::Write, at, buffer.data(), size); break;
      case 1: device.transfer(BlockOp::Flush, 0, nullptr, 0); break;
      case 2: device.transfer(BlockOp::WriteZeroes, at, nullptr, size); break;
      default: device.transfer(BlockOp::Read, at, buffer.data(), size);
    }
  }
}

void fuzz_image(Random& random) {
  Scratch file, base;
  constexpr u64 kSize = 512 * 1024;
  std::string kind;
  switch (random.below(3)) {
    case 0: kind = "qcow2", (void)Qcow2Image::create(file.path, kSize, "", "").ok(); break;
    case 1: kind = "vhd", (void)VhdImage::create(file.path, kSize, random.one_in(4)).ok(); break;
    default: {
      kind = "overlay";
      const int fd = open(base.path.c_str(), O_RDWR | O_CREAT, 0600);
      check(ftruncate(fd, kSize) == 0, "cannot make the base");
      close(fd);
      (void)OverlayImage::create(file.path, "file:" + base.path, kSize).ok();
    }
  }
  use(kind + ":" + file.path, random);  // something to damage
  damage(file.path, random);
  use((random.one_in(3) ? "ro:" : "") + kind + ":" + file.path, random);
}

constexpr char kText[] =
    "vg {\nextent_size = 8\nphysical_volumes {\np { id = \"A-A\" pe_start = 16 }\n}\nlogical_volumes {\nl { segment_count = 1\n"
    "segment1 { start_extent = 0 extent_count = 4 type = \"striped\" stripe_count = 2 stripe_size = 2 stripes = [\"p\", 0, \"p\", 9] }\n}\n}\n}\n";

void fuzz_metadata(Random& random) {
  std::string text = kText;
  for (u64 n = random.below(6); n; n--) {
    const size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0: text[at] = static_cast<char>(random.next()); break;
      case 1: text.erase(at, random.below(20)); break;
      case 2: text.insert(at, text.substr(random.below(text.size()), random.below(40))); break;
      default: text.insert(at, std::to_string(random.awkward()));
    }
  }
  if (const auto tree = lvm::parse_text(text)) {
    const auto lv = lvm::find_volume(*tree, "vg/l", {"AA"});
    if (lv) check(lv->size_bytes > 0, "an empty volume");
  }
}

void fuzz_chain(Random& random) {
  static const char* const kWords[] = {"ro:", "direct:", "threads:", "delay:", "delay:1:", "fault:", "fault:read=io/2:", "overlay:", "short:",
                                       "file:", "null:", "null:1M", "lv:", "qcow2:", "vhd:", "#", "x#vg/lv", ",", "1", "::", "/dev/null", "."};
  std::string spec;
  for (u64 n = random.below(12); n; n--) spec += random.pick(kWords);
  use(spec, random);
}

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  switch (random.below(4)) {
    case 0: return fuzz_metadata(random);
    case 1: return fuzz_chain(random);
    default: return fuzz_image(random);
  }
}

}  // namespace ia64::fuzz
