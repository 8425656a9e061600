// A named read-only view of a component's state, for dumps, the monitor and the debugger.
#pragma once

#include <string_view>

#include "base/int_types.h"

namespace ia64 {

/// Receives a component's state as a tree. Implementations turn it into JSON or text.
class InspectWriter {
 public:
  virtual ~InspectWriter() = default;
  virtual void begin(std::string_view name) = 0;
  virtual void end() = 0;
  virtual void value(std::string_view name, u64 v) = 0;
  virtual void text(std::string_view name, std::string_view v) = 0;
};

/// A component that can show its state. Must not change it. Called while the machine is paused or under the component's lock.
class Inspectable {
 public:
  virtual ~Inspectable() = default;
  virtual void inspect(InspectWriter& out) const = 0;
};

}  // namespace ia64
