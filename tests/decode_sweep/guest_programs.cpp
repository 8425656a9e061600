// Reads gzip, cpio and ELF as far as needed to find machine code.
#include "guest_programs.h"

#include <elf.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "base/bits.h"

namespace ia64::sweep {
namespace {

/// A fixed-size structure at an offset of `image`, or false when it does not fit.
template <class T>
bool read_at(const std::string& image, u64 offset, T& out) {
  if (offset > image.size() || image.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, image.data() + offset, sizeof(T));
  return true;
}

std::vector<Bundle> to_bundles(const char* bytes, u64 size) {
  std::vector<Bundle> bundles(size / sizeof(Bundle));
  std::memcpy(bundles.data(), bytes, bundles.size() * sizeof(Bundle));
  return bundles;
}

std::string section_name(const std::string& image, const Elf64_Shdr& strings, u32 offset) {
  const u64 at = strings.sh_offset + offset;
  return at < image.size() ? std::string(image.c_str() + at) : std::string();
}

/// One header field of a "newc" member: eight hexadecimal digits.
u64 cpio_field(const std::string& archive, u64 header, unsigned index) {
  return std::strtoull(archive.substr(header + 6 + index * 8, 8).c_str(), nullptr, 16);
}

}  // namespace

std::string read_gzip(const std::string& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return out;
  char buffer[1 << 16];
  for (int n; (n = gzread(file, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<size_t>(n));
  gzclose(file);
  return out;
}

std::vector<Code> elf_code(const std::string& name, const std::string& image) {
  std::vector<Code> found;
  Elf64_Ehdr header;
  if (!read_at(image, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_machine != EM_IA_64)
    return found;
  Elf64_Shdr strings{};
  read_at(image, header.e_shoff + u64{header.e_shstrndx} * sizeof(Elf64_Shdr), strings);
  for (unsigned n = 0; n < header.e_shnum; ++n) {
    Elf64_Shdr s;
    if (!read_at(image, header.e_shoff + n * sizeof s, s)) break;
    if (s.sh_type != SHT_PROGBITS || !(s.sh_flags & SHF_EXECINSTR) || !is_aligned(s.sh_addr, 16)) continue;
    if (s.sh_offset > image.size() || image.size() - s.sh_offset < s.sh_size) continue;
    found.push_back({name + " " + section_name(image, strings, s.sh_name), s.sh_addr,
                     to_bundles(image.data() + s.sh_offset, s.sh_size)});
  }
  return found;
}

std::vector<Code> cpio_code(const std::string& archive) {
  std::vector<Code> found;
  std::set<std::string> seen;  // hard links repeat a file
  for (u64 at = 0; archive.compare(at, 5, "07070") == 0;) {
    const u64 size = cpio_field(archive, at, 6), name_size = cpio_field(archive, at, 11);
    const u64 data = align_up(at + 110 + name_size, 4);
    if (data > archive.size() || archive.size() - data < size) break;
    const std::string name = archive.c_str() + at + 110;
    if (name == "TRAILER!!!") break;
    const std::string image = archive.substr(data, size);
    if (seen.insert(image).second)
      for (Code& code : elf_code(name, image)) found.push_back(std::move(code));
    at = align_up(data + size, 4);
  }
  return found;
}

}  // namespace ia64::sweep
