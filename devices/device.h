// The contract of a device model. @source exemplars: configuration, wires, book-keeping, volatile state
#pragma once

#include "base/inspect.h"
#include "base/state_archive.h"

namespace ia64::devices {

/// A chip model. Wires (line, clock, memory view, host end) come through the constructor. All volatile state sits in one
/// sub-struct, so reset is one assignment. A device locks itself: register accesses, resets and completions may come from
/// different threads. Guest mistakes are guest-visible outcomes, never host errors.
class Device : public Inspectable {
 public:
  virtual const char* name() const = 0;
  /// Power-on state; outstanding requests are abandoned without touching guest memory afterwards.
  virtual void reset() = 0;
  /// Saves or loads the volatile state and what the wires carry. No processor runs, nothing is in flight. Loading drives no
  /// wire to another level than the one the rest of the machine was saved with. After a failure the state is valid all the
  /// same, but a mixture: the device is to be reset.
  virtual void visit_state(StateArchive& a) = 0;
};

}  // namespace ia64::devices
