// Machine code of the guests' kernel and programs.
#pragma once

#include <string>
#include <vector>

#include "objdump_comparison.h"

namespace ia64::sweep {

/// One executable section.
struct Code {
  std::string name;  ///< "vmlinux .init.text"
  u64 address = 0;
  std::vector<Bundle> bundles;
};

/// The contents of a gzip file; empty when it cannot be read.
std::string read_gzip(const std::string& path);

/// The executable sections of an IA-64 ELF file; none when `image` is something else.
std::vector<Code> elf_code(const std::string& name, const std::string& image);

/// The executable sections of every IA-64 ELF file of a "newc" cpio archive.
std::vector<Code> cpio_code(const std::string& archive);

}  // namespace ia64::sweep
