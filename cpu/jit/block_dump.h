// Shows how chosen blocks are translated: guest code, intermediate form, host code.
#pragma once

#include <cstdio>
#include <string>

#include "base/address_space.h"
#include "cpu/interp/block.h"
#include "cpu/jit/options.h"
#include "cpu/translate/ir.h"

namespace ia64::cpu::jit {

/// Writes to standard error or to a file what TranslatorOptions::dump_ips asks for. CPU thread only.
class BlockDump {
 public:
  /// @param bus  where guest code is read
  BlockDump(const TranslatorOptions& options, AddressSpace& bus);
  ~BlockDump();
  BlockDump(const BlockDump&) = delete;

  /// Whether one of the wanted addresses lies in the block, which begins at `ip`.
  bool wants(Block& block, u64 ip) const;
  void guest_code(Block& block, const ir::Unit& unit);
  /// @param title  "before passes"
  void intermediate(const char* title, const ir::Unit& unit);
  void host_code(const void* code, size_t size_bytes);

 private:
  void line(const std::string& text);

  const TranslatorOptions& options_;
  AddressSpace& bus_;
  std::FILE* file_ = nullptr;
};

/// Host instructions as text, a line each; one line that says so when Capstone was absent at build time.
std::string host_listing(const void* code, size_t size_bytes);

}  // namespace ia64::cpu::jit
