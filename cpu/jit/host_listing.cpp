// Disassembly of generated host code through Capstone, where it was there at build time.
#include <fmt/format.h>

#include "cpu/jit/block_dump.h"

#ifdef IVM_HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

namespace ia64::cpu::jit {

#ifdef IVM_HAVE_CAPSTONE

std::string host_listing(const void* code, size_t size_bytes) {
  csh handle;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return "  (Capstone refused to start)\n";
  cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);  // the table of far addresses at the end
  cs_insn* insns = nullptr;
  const size_t count = cs_disasm(handle, static_cast<const uint8_t*>(code), size_bytes, reinterpret_cast<u64>(code), 0, &insns);
  std::string text;
  for (size_t n = 0; n < count; n++) text += fmt::format("  {:x}  {} {}\n", insns[n].address, insns[n].mnemonic, insns[n].op_str);
  if (count) cs_free(insns, count);
  cs_close(&handle);
  return text;
}

#else

std::string host_listing(const void*, size_t) { return "  (not shown: this ivm was built without Capstone)\n"; }

#endif

}  // namespace ia64::cpu::jit
