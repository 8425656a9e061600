// A medium in host memory, temporary files for external tools, and helpers to drive a FAT volume.
#pragma once

#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "firmware/media/block_medium.h"

namespace ia64::firmware::testing {

class MemoryMedium final : public BlockMedium {
 public:
  explicit MemoryMedium(std::vector<u8> image, u32 block = 512) : bytes(std::move(image)), block_(block) {}
  u32 block_size() const override { return block_; }
  u64 block_count() const override { return bytes.size() / block_; }
  bool read_only() const override { return locked; }
  EfiStatus read(u64 lba, u64 n, u8* out) override {
    reads++;
    if (lba + n > block_count()) return escaped = true, efi::kDeviceError;
    std::memcpy(out, &bytes[lba * block_], n * block_);
    return efi::kSuccess;
  }
  EfiStatus write(u64 lba, u64 n, const u8* in) override {
    if (lba + n > block_count() || locked) return escaped = true, efi::kDeviceError;
    if (fail_writes) return efi::kDeviceError;
    std::memcpy(&bytes[lba * block_], in, n * block_);
    return efi::kSuccess;
  }
  EfiStatus flush() override { return efi::kSuccess; }
  EfiStatus read_guest(u64, std::span<const GuestSpan>) override { return efi::kUnsupported; }
  EfiStatus write_guest(u64, std::span<const GuestSpan>) override { return efi::kUnsupported; }
  u64& raw_writes() override { return raw_; }

  std::vector<u8> bytes;
  bool locked = false, fail_writes = false;
  bool escaped = false;  ///< somebody left the medium: always a bug
  u64 reads = 0;

 private:
  u32 block_;
  u64 raw_ = 0;
};

/// A folder that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/ivm-media-XXXXXX";
    path = mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::vector<u8> load(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void store(const std::string& name, const std::vector<u8>& v) const {
    std::ofstream(file(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(v.data()), static_cast<std::streamsize>(v.size()));
  }
  /// Runs a shell command inside the folder. @returns its exit status
  int run(const std::string& command) const {
    return std::system(("cd " + path + " && export MTOOLS_SKIP_CHECK=1 PATH=$PATH:/sbin:/usr/sbin && ( " +
                        command + " ) > out.txt 2>&1")
                           .c_str());
  }
  std::string output() const {
    const auto v = load("out.txt");
    return {v.begin(), v.end()};
  }
  std::string path;
};

inline bool have_tool(const char* name) {
  return std::system(
             (std::string("PATH=$PATH:/sbin:/usr/sbin command -v ") + name + " >/dev/null 2>&1").c_str()) ==
         0;
}

/// Reproducible bytes that differ everywhere.
inline std::vector<u8> pattern(size_t n, u32 seed) {
  std::vector<u8> v(n);
  for (auto& b : v) seed = seed * 1664525 + 1013904223, b = static_cast<u8>(seed >> 24);
  return v;
}

}  // namespace ia64::firmware::testing
