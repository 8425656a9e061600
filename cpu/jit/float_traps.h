// Exceptions of the host's floating point as ways out of generated code.
#pragma once

#include <vector>

#include "base/int_types.h"

namespace ia64::cpu::jit {

/// MXCSR outside generated code, and while generated code asks for each result: round to nearest, all exceptions masked, no flags.
inline constexpr u32 kQuietMxcsr = 0x1f80;
/// While generated code lets exceptions tell: all but Inexact raise SIGFPE in front of the instruction, which has written nothing then.
inline constexpr u32 kTrappingMxcsr = 0x1000;

/// Which host instructions of one engine may raise an exception, and where their guest instruction is left.
class FloatTraps {
 public:
  /// @param handles  whether any will come: lets the process handle SIGFPE
  explicit FloatTraps(bool handles);
  FloatTraps(const FloatTraps&) = delete;

  /// `pc` lies behind all that were added before.
  void add(const void* pc, const void* way_out) { sites_.push_back({pc, way_out}); }
  void clear() { sites_.clear(); }
  /// nullptr when no exception is expected there.
  const void* way_out(const void* pc) const;
  /// Makes this the engine whose code runs in the calling thread.
  void enter();

 private:
  struct Site {
    const void *pc, *way_out;
  };
  std::vector<Site> sites_;  ///< by pc
};

}  // namespace ia64::cpu::jit
