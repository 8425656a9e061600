// Local SAPIC: priority of external interrupts, IVR/EOI/TPR, interval timer.
#include "cpu/sapic.h"

#include <bit>
#include <utility>

#include "base/state_archive.h"

namespace ia64::cpu {

namespace {

constexpr u64 kNsPerSecond = 1'000'000'000;
constexpr u64 kLowVectors = 0xffff;  // 0..15 live outside the ordinary order
constexpr u64 kAcceptedLow = bit(LocalSapic::kExtInt) | bit(LocalSapic::kNmi);

/// Greater means more urgent: NMI, then ExtINT, then 255 down to 16.
int urgency(int vector) {
  if (vector < 0) return -1;
  if (vector == LocalSapic::kNmi) return 257;
  if (vector == LocalSapic::kExtInt) return 256;
  return vector;
}

/// The most urgent vector of a 256-bit set, or -1.
template <class Word>
int most_urgent(Word&& word) {
  const u64 low = word(0);
  if (low & bit(LocalSapic::kNmi)) return LocalSapic::kNmi;
  if (low & bit(LocalSapic::kExtInt)) return LocalSapic::kExtInt;
  for (int n = 3; n >= 0; n--) {
    const u64 w = n ? word(n) : low & ~kLowVectors;
    if (w) return 64 * n + 63 - std::countl_zero(w);
  }
  return -1;
}

u64 scale(u64 value, u64 numerator, u64 denominator) {
  return static_cast<u64>(static_cast<u128>(value) * numerator / denominator);
}

}  // namespace

LocalSapic::LocalSapic(Registers& regs, Clock* clock, u64 itc_hz, InterruptListener& listener)
    : regs_(regs), clock_(clock), itc_hz_(itc_hz), listener_(listener), timer_(std::make_shared<Timer>()) {
  timer_->owner = this;
}

LocalSapic::~LocalSapic() {
  {
    std::lock_guard lock(timer_->mutex);
    timer_->owner = nullptr;
  }
  if (clock_ && timer_id_) clock_->cancel(timer_id_);
}

void LocalSapic::reset() {
  for (auto& w : irr_) w = 0;
  for (auto& w : isr_) w = 0;
  itc_offset_ = 0;
  write_itv(regs_.itv);
  regs_.itm = 0;
  arm();
}

void LocalSapic::post(u8 vector) {
  if (vector < 16 && !(bit(vector) & kAcceptedLow)) return;
  irr_[vector >> 6].fetch_or(bit(vector & 63), std::memory_order_release);
  listener_.on_interrupt_pended();
}

int LocalSapic::highest_pending() const {
  return most_urgent([this](int n) { return irr(static_cast<unsigned>(n)); });
}

int LocalSapic::highest_in_service() const {
  return most_urgent([this](int n) { return isr_[n]; });
}

int LocalSapic::highest_deliverable() const {
  const int vector = highest_pending();
  if (vector < 0 || urgency(vector) <= urgency(highest_in_service())) return -1;
  if (vector == kNmi) return vector;
  if (regs_.tpr & bit(16)) return -1;                                                           // TPR.mmi
  if (vector >= 16 && static_cast<unsigned>(vector) >> 4 <= field(regs_.tpr, 4, 4)) return -1;  // TPR.mic
  return vector;
}

u64 LocalSapic::read_ivr() {
  const int vector = highest_deliverable();
  if (vector < 0) return kSpurious;
  irr_[vector >> 6].fetch_and(~bit(vector & 63), std::memory_order_acq_rel);
  isr_[vector >> 6] |= bit(vector & 63);
  return static_cast<u64>(vector);
}

void LocalSapic::write_eoi() {
  const int vector = highest_in_service();
  if (vector >= 0) isr_[vector >> 6] &= ~bit(vector & 63);
}

u64 LocalSapic::itc() const {
  return (clock_ ? scale(clock_->now_ns(), itc_hz_, kNsPerSecond) : 0) + itc_offset_;
}

void LocalSapic::write_itc(u64 value) {
  itc_offset_ += value - itc();
  arm();
}

void LocalSapic::write_itm(u64 value) {
  regs_.itm = value;
  arm();
}

void LocalSapic::write_itv(u64 value) {
  regs_.itv = value;
  itv_vector_ = static_cast<u8>(value);
  itv_masked_ = (value & bit(16)) != 0;
}

/// Schedules the next match of ITC and ITM. A match that already passed never fires: ITC only meets ITM again
/// after it has wrapped, which takes centuries.
void LocalSapic::arm() {
  if (!clock_) return;
  suspend_timer();
  due_ns_ = ~u64{0};
  const u64 now_ns = clock_->now_ns();
  const u64 now_ticks = scale(now_ns, itc_hz_, kNsPerSecond);
  const u64 ahead = regs_.itm - (now_ticks + itc_offset_);
  if (ahead == 0 || ahead > ~u64{0} >> 1) return;
  // One tick later than the match, so that a handler always reads an ITC beyond ITM.
  const u128 due = (static_cast<u128>(now_ticks + ahead + 1) * kNsPerSecond + itc_hz_ - 1) / itc_hz_;
  if (due > (~u64{0} >> 1)) return;
  due_ns_ = static_cast<u64>(due);
  start_timer(now_ns);
}

void LocalSapic::start_timer(u64 now_ns) {
  constexpr u64 kFarNs = kNsPerSecond / 1000;
  put_off_ = may_put_off_ && due_ns_ > now_ns + kFarNs;
  put_off_ ? listener_.on_timer_put_off() : schedule_timer();
}

void LocalSapic::schedule_timer() {
  put_off_ = false;
  u64 generation;
  {
    std::lock_guard lock(timer_->mutex);
    generation = timer_->generation;
    timer_->running = true;
  }
  timer_id_ = clock_->schedule(due_ns_, [timer = timer_, generation] {
    std::lock_guard lock(timer->mutex);
    if (!timer->owner || timer->generation != generation) return;
    timer->running = false;
    timer->owner->timer_fired();
  });
}

u64 LocalSapic::suspend_timer() {
  if (std::exchange(put_off_, false)) return due_ns_;
  bool was_running;
  {
    std::lock_guard lock(timer_->mutex);
    timer_->generation++;
    was_running = std::exchange(timer_->running, false);
  }
  if (timer_id_) clock_->cancel(timer_id_), timer_id_ = 0;
  return was_running ? due_ns_ : ~u64{0};
}

void LocalSapic::resume_timer(u64 due_ns) {
  if (due_ns == ~u64{0}) return;
  if (const u64 now_ns = clock_->now_ns(); now_ns < due_ns) return start_timer(now_ns);
  timer_fired();
}

void LocalSapic::visit_state(StateArchive& a) {
  u64 due_ns = suspend_timer();
  a(irr_, isr_, itc_offset_, due_ns);
  if (a.loading() && a.ok()) {
    write_itv(regs_.itv);
    due_ns_ = due_ns;
  }
  resume_timer(due_ns);
}

void LocalSapic::timer_fired() {
  if (!itv_masked_) post(itv_vector_);
}

}  // namespace ia64::cpu
