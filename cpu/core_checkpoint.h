// A processor's state set aside, to be taken up again a moment later.
#pragma once

#include <memory>

#include "cpu/core.h"

namespace ia64::cpu {

/// Everything of a processor that instructions can see, and that what it executes next depends on, memory excepted. Unlike a
/// snapshot it changes nothing where it is taken (the ALAT keeps its entries), translated code stays, and timers stay on the clock:
/// it is good as long as virtual time stands still. Made to be taken often: what did not change is not copied again.
/// CPU thread, outside run().
class CoreCheckpoint {
 public:
  CoreCheckpoint();
  ~CoreCheckpoint();
  void take(const Core& core);
  /// @param core the one it was taken of
  void restore(Core& core) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ia64::cpu
