// Running from one thing worth seeing to the next.
#include "machine/icount/held_run.h"

#include <utility>

#include "machine/host/host_loop.h"
#include "machine/machine.h"

namespace ia64::machine {

HeldRun::HeldRun(Machine& machine, HostLoop& loop) : machine_(machine), loop_(loop) { machine_.pause(); }

void HeldRun::noticed() {
  if (!going_ || std::exchange(noticed_, true)) return;
  machine_.at_boundary([this] { stand(); });
}

bool HeldRun::go(u64 at_most_ns, std::function<void()> done) {
  if (done_) return false;
  done_ = std::move(done);
  noticed_ = false;
  limit_ = machine_.clock().schedule(machine_.virtual_ns() + at_most_ns, [this] {
    limit_ = 0;
    stand();
  });
  std::lock_guard lock(mutex_);
  going_ = true;
  if (!paused_) machine_.resume();
  return true;
}

/// At a boundary. Whoever is told must find the processor at its safe point: what comes next belongs to the next stretch.
void HeldRun::stand() {
  {
    std::lock_guard lock(mutex_);
    if (!going_.exchange(false)) return;
    machine_.pause();
  }
  if (const auto limit = std::exchange(limit_, 0)) machine_.clock().cancel(limit);
  machine_.call([this] { loop_.post([this] { answer(); }); });
}

void HeldRun::answer() {
  if (const auto done = std::exchange(done_, {})) done();
}

void HeldRun::stopped_at_point() {
  paused_ = true;
  if (!going_.exchange(false)) return;
  if (const auto limit = std::exchange(limit_, 0)) machine_.clock().cancel(limit);
  answer();
}

void HeldRun::pause() {
  paused_ = true;
  machine_.pause();
}

void HeldRun::resume() {
  std::lock_guard lock(mutex_);
  paused_ = false;
  if (going_) machine_.resume();
}

}  // namespace ia64::machine
