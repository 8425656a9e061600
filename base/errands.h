// Host work that a virtual processor may do itself, between two of its instructions.
#pragma once

#include <functional>

namespace ia64 {

/// Copying that a processor waits for anyhow is done quicker by its own thread than by another one, which first has to wake up. Whoever
/// owns the processor sees to it that one is held by an errand no longer than a few milliseconds, whatever the errand waits for.
class Errands {
 public:
  /// @param here  false: this thread must not do it, only see that another one does; it must not wait then
  using Errand = std::function<void(bool here)>;

  virtual ~Errands() = default;
  /// The calling thread, which is executing an access of its guest, does the errand soon after that access. @returns false, and drops it,
  /// when it had better be done elsewhere
  virtual bool post(Errand errand) = 0;

  /// Those of the calling thread; nullptr when it executes no guest code or something waits for the outcome of an access.
  static Errands* here();

  /// The calling thread executes guest code during the life of this object.
  class Scope {
   public:
    explicit Scope(Errands* errands);
    ~Scope();
    Scope(const Scope&) = delete;
  };
};

}  // namespace ia64
