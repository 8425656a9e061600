// Quanta of instructions, interrupts between them, firmware at their ends.
#include "machine/icount/counted_run.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "machine/lockstep/lockstep.h"

namespace ia64::machine {

using cpu::Core;
using cpu::StopReason;

namespace {

constexpr u64 kNever = ~u64{0};
constexpr auto kHostNap = std::chrono::milliseconds(1);  // with nothing to wait for but people

}  // namespace

/// Stops the processor in front of a gate's break, unless it is open.
class CountedRun::Gate final : public cpu::BreakGate {
 public:
  explicit Gate(cpu::BreakGate& inner) : inner_(inner) {}
  cpu::GateAction on_break(Core& core, u64 imm) override {
    return open ? inner_.on_break(core, imm) : cpu::GateAction::Stop;
  }
  bool open = false;

 private:
  cpu::BreakGate& inner_;
};

CountedRun::CountedRun(Core& core, VirtualClock& clock, cpu::BreakGate& gate, Lockstep* lockstep)
    : core_(core), clock_(clock), gate_(std::make_unique<Gate>(gate)), lockstep_(lockstep) {
  core.set_gate(gate_.get());
}

CountedRun::~CountedRun() = default;

void CountedRun::powered_on() {
  left_ = spent_ = 0;
  std::lock_guard lock(posts_mutex_);
  posts_.clear();
}

void CountedRun::post(DeliveryMode mode, u8 vector) {
  std::lock_guard lock(posts_mutex_);
  posts_.emplace_back(mode, vector);
}

void CountedRun::request_stop() {
  stop_ = true;
  if (!lockstep_) core_.request_stop();  // two processors must not stop at different places
}

void CountedRun::begin_quantum() {
  std::vector<std::pair<DeliveryMode, u8>> posts;
  {
    std::lock_guard lock(posts_mutex_);
    posts.swap(posts_);
  }
  for (const auto& [mode, vector] : posts) lockstep_ ? lockstep_->post(mode, vector) : core_.post_interrupt(mode, vector);
  const u64 due_ns = clock_.next_due_ns(), now_ns = clock_.now_ns();
  const u64 until_due = due_ns > now_ns ? (due_ns - now_ns + kNsPerSlot - 1) / kNsPerSlot : 1;
  left_ = std::min(kQuantumSlots, until_due);
}

void CountedRun::end_quantum() {
  left_ = 0;
  clock_.advance_to(clock_.now_ns() + std::exchange(spent_, 0) * kNsPerSlot);
}

/// Does something with the processor and counts what it executes.
template <class Run>
StopReason CountedRun::count(Run run) {
  const u64 before = core_.slots_retired();
  const StopReason reason = run();
  const u64 executed = core_.slots_retired() - before;
  spent_ += executed;
  left_ -= std::min(left_, executed);
  return reason;
}

StopReason CountedRun::run(u64 at_most_slots) {
  while (!stop_.exchange(false)) {
    const u64 before = core_.slots_retired();
    if (const StopReason reason = advance(at_most_slots); reason != StopReason::Budget) return reason;
    at_most_slots -= std::min(at_most_slots, core_.slots_retired() - before);
    if (at_most_slots == 0) return StopReason::Budget;
  }
  return StopReason::Requested;
}

StopReason CountedRun::advance(u64 at_most_slots) {
  if (left_ == 0) begin_quantum();
  const u64 slots = std::min(left_, at_most_slots);
  const StopReason reason = count([&] { return lockstep_ ? lockstep_->run(slots) : core_.run(slots); });
  switch (reason) {
    case StopReason::Budget:
      if (left_ == 0) end_quantum();
      return reason;
    case StopReason::InterruptionLoop:  // nothing is executed any more, but time goes on
      spent_ += left_;
      end_quantum();
      return StopReason::Budget;
    case StopReason::Halted: end_quantum(); return reason;
    case StopReason::Gate: return stops_at_gate() ? reason : StopReason::Budget;
    default:
      if (left_ == 0) end_quantum();
      return reason;
  }
}

namespace {

struct KeptPost {
  DeliveryMode mode{};
  u8 vector = 0;
  void visit_state(StateArchive& a) { a(mode, vector); }
};

}  // namespace

void CountedRun::visit_state(StateArchive& a) {
  std::lock_guard lock(posts_mutex_);
  std::vector<KeptPost> posts;
  for (const auto& [mode, vector] : posts_) posts.push_back({mode, vector});
  a(left_, spent_, posts);
  a.require(left_ <= kQuantumSlots && spent_ <= 2 * kQuantumSlots, "the quantum");
  if (!a.loading()) return;
  if (!a.ok()) left_ = spent_ = 0, posts.clear();
  posts_.clear();
  for (const KeptPost& p : posts) posts_.emplace_back(p.mode, p.vector);
}

StopReason CountedRun::advance_once() {
  core_.set_stop_on_interruption(true);
  const StopReason reason = advance(1);
  core_.set_stop_on_interruption(false);
  return reason;
}

StopReason CountedRun::step() {
  if (left_ == 0) begin_quantum();
  const StopReason reason = count([this] { return core_.step(); });
  if (reason == StopReason::Gate) return stops_at_gate() ? reason : StopReason::Budget;
  if (left_ == 0 || reason == StopReason::Halted) end_quantum();
  return reason;
}

/// Runs the break that the processor stands at, or the interrupt that has come before it. @returns whether the gate wants to stop
bool CountedRun::stops_at_gate() {
  end_quantum();
  if (over_) return false;  // by what has just become due
  gate_->open = true;
  const bool stops = count([this] { return core_.run(1); }) == StopReason::Gate;
  gate_->open = false;
  if (lockstep_) lockstep_->take_over();
  return stops;
}

void CountedRun::idle_until(u64 until_ns) {
  {
    std::lock_guard lock(posts_mutex_);
    if (!posts_.empty()) return;
  }
  const u64 target = std::min(until_ns, clock_.next_due_ns());
  if (target == kNever) return std::this_thread::sleep_for(kHostNap);
  clock_.advance_to(target);
}

}  // namespace ia64::machine
