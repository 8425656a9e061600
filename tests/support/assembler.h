// Assembles IA-64 text with binutils at test time, so that encodings come from an independent source.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "base/int_types.h"

namespace ia64::test {

/// Whether ia64-linux-gnu-as and objcopy are installed; tests skip without them.
inline bool have_assembler() {
  static const bool found = std::system("ia64-linux-gnu-as --version >/dev/null 2>&1") == 0 &&
                            std::system("ia64-linux-gnu-objcopy --version >/dev/null 2>&1") == 0;
  return found;
}

/// The .text bytes of `source`, assembled in explicit mode: bundles as written in braces, otherwise one
/// instruction group per
/// `;;`. Branches go to labels of the text. @returns empty when the assembler refuses, after printing its
/// message
inline std::vector<u8> assemble(std::string_view source) {
  char directory[] = "/tmp/ivm-asm-XXXXXX";
  if (!mkdtemp(directory)) return {};
  const std::string base = directory;
  std::ofstream(base + "/t.s") << ".text\n.explicit\n" << source << "\n";
  const std::string command =
      "cd " + base +
      " && ia64-linux-gnu-as -o t.o t.s && ia64-linux-gnu-objcopy -O binary -j .text t.o t.bin";
  std::vector<u8> bytes;
  if (std::system(command.c_str()) == 0) {
    std::ifstream in(base + "/t.bin", std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (const char* file : {"/t.s", "/t.o", "/t.bin"}) std::remove((base + file).c_str());
  rmdir(directory);
  return bytes;
}

}  // namespace ia64::test
