// Where generated code lies.
#pragma once

#include <asmjit/core.h>

#include <cstddef>

#include "base/int_types.h"

namespace ia64::cpu::jit {

/// One piece of executable memory that is filled from its beginning and emptied as a whole. Code that runs after each other was mostly
/// made after each other, and lies in few large pages: a guest that wakes now and then finds little of it in the host's caches. For the same
/// reason what runs rarely lies apart, filled from the end. CPU thread only.
class CodeCache {
 public:
  /// Where code was put.
  struct Place {
    u8* code = nullptr;  ///< nullptr: nowhere
    u8* cold = nullptr;
    size_t code_bytes = 0, cold_bytes = 0;
  };

  /// Reserves room for `size_bytes`; memory is taken as it is filled.
  explicit CodeCache(size_t size_bytes);
  ~CodeCache();
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  /// Puts finished code at its final address: the first section; another one apart, with what addresses of far calls need. The place is
  /// nowhere when there is no room or no memory.
  Place add(asmjit::CodeHolder& code);
  /// Keeps what is in it now through clear().
  void keep() { kept_ = used_, kept_cold_ = used_cold_; }
  /// Forgets everything else. Not while code in it is on the stack.
  void clear() { used_ = kept_, used_cold_ = kept_cold_; }

 private:
  u8* base_ = nullptr;   ///< begins a large page; nullptr: no memory
  void* mapping_ = nullptr;
  size_t mapped_ = 0, size_ = 0;
  size_t used_ = 0, used_cold_ = 0;  ///< from the beginning, from the end
  size_t kept_ = 0, kept_cold_ = 0;
};

}  // namespace ia64::cpu::jit
