// Checkpoints, and the way from one to a place behind it.
#include "machine/history/history.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace ia64::machine {

using cpu::StopReason;
using storage::BlockStatus;
using storage::UndoJournal;

namespace {

constexpr u64 kNever = ~u64{0};
// Checkpoints shortly before a goal make the next steps back from there quick.
constexpr u64 kApproach[] = {1'000'000, 30'000};
// More than any piece of a run executes at once (a call of firmware counts as two).
constexpr u64 kMostPieceSlots = 4;

auto key(const Position& p) { return std::tie(p.slots, p.interruptions, p.ns); }

u64 bytes_of(const UndoJournal::Entries& entries) {
  u64 sum = 0;
  for (const auto& e : entries) sum += e.before.size() + sizeof e;
  return sum;
}

}  // namespace

History::History(Repeatable& machine, std::span<GuestMemory> ram, UndoJournal& disks, const Limits& limits)
    : machine_(machine), ram_(ram), disks_(disks), limits_(limits) {}

History::~History() { disks_.keep(false); }

u64 History::Checkpoint::bytes() const { return pages.bytes() + bytes_of(blocks); }

// --- keeping -----------------------------------------------------------------------------------------------------------------

u64 History::due_in_slots() {
  if (!error_.empty()) return kNever;
  if (checkpoints_.empty()) return 0;
  const u64 since = machine_.position().slots - checkpoints_.back().at.slots;
  return since < limits_.interval_slots ? limits_.interval_slots - since : 0;
}

void History::keep() {
  if (!error_.empty() || !machine_.at_rest()) return;
  const Position here = machine_.position();
  if (!disks_.complete()) forget();
  if (!checkpoints_.empty() && checkpoints_.back().at == here) return;
  if (!memory_) {
    auto memory = MemoryHistory::begin(ram_);
    if (!memory) return void(fail(memory.error().message));
    memory_ = std::move(*memory);
    memory_->on_changed = [this](size_t range, u64 offset) { machine_.page_changed(range, offset); };
  }
  EarlierPages pages = memory_->mark();
  if (checkpoints_.empty()) {
    disks_.keep(true);
  } else {
    Checkpoint& last = checkpoints_.back();
    last.pages = std::move(pages), last.blocks = disks_.take();
    bytes_ += last.bytes();
  }
  checkpoints_.push_back({.at = here, .moment = machine_.set_aside(), .pages = {}, .blocks = {}});
  limit();
}

/// A checkpoint goes: what was there of pages and blocks belongs to the one before.
void History::merge(size_t checkpoint) {
  Checkpoint &earlier = checkpoints_[checkpoint - 1], &later = checkpoints_[checkpoint];
  bytes_ -= earlier.bytes() + later.bytes();
  earlier.pages.append_later(later.pages);
  std::move(later.blocks.begin(), later.blocks.end(), std::back_inserter(earlier.blocks));
  bytes_ += earlier.bytes();
  checkpoints_.erase(checkpoints_.begin() + static_cast<std::ptrdiff_t>(checkpoint));
}

/// The longer ago, the fewer: the way back from a checkpoint is to stay short beside its age.
void History::limit() {
  while (checkpoints_.size() > limits_.checkpoints) {
    const u64 now = checkpoints_.back().at.slots;
    size_t least = 1;
    double least_worth = 1e300;
    for (size_t n = 1; n + 1 < checkpoints_.size(); n++) {
      const double gap = static_cast<double>(checkpoints_[n + 1].at.slots - checkpoints_[n - 1].at.slots);
      const double worth = gap / static_cast<double>(now - checkpoints_[n].at.slots + 1);
      if (worth < least_worth) least = n, least_worth = worth;
    }
    merge(least);
  }
  while (bytes_ > limits_.bytes && checkpoints_.size() > 1) {
    bytes_ -= checkpoints_.front().bytes();
    checkpoints_.pop_front();
  }
  while (!steps_.empty() && key(steps_.front().from) < key(checkpoints_.front().at)) {
    steps_.pop_front();
    if (next_steps_) next_steps_--;
  }
}

void History::stepped(const Position& from) {
  if (checkpoints_.empty()) return;
  const Position to = machine_.position();
  // A checkpoint in the middle of an entry could not be gone on from.
  const bool on = !steps_.empty() && steps_.back().to == from && key(steps_.back().from) >= key(checkpoints_.back().at);
  if (!on) steps_.push_back({.from = from, .to = from});
  steps_.back().to = to;
  steps_.back().count++;
}

void History::forget() {
  checkpoints_.clear();
  steps_.clear();
  bytes_ = 0;
  disks_.keep(false);
}

void History::memory_replaced() {
  forget();
  memory_.reset();
}

// --- repeating ---------------------------------------------------------------------------------------------------------------

bool History::fail(std::string why) {
  error_ = std::move(why);
  LOG(Error, "going back: {}", error_);
  forget();
  return false;
}

/// The machine is what it was at a checkpoint, and what came later is forgotten.
bool History::return_to(size_t checkpoint) {
  const Moment& moment = *checkpoints_[checkpoint].moment;
  if (auto ok = machine_.let_go(moment); !ok) return fail(ok.error().message);
  if (!disks_.complete()) return fail("a disk changed more than was kept");
  memory_->back_to_mark();
  BlockStatus blocks = UndoJournal::put_back(disks_.take());
  while (checkpoints_.size() > checkpoint + 1) {
    checkpoints_.pop_back();
    Checkpoint& last = checkpoints_.back();
    bytes_ -= last.bytes();
    memory_->back_over(last.pages);
    if (blocks == BlockStatus::Ok) blocks = UndoJournal::put_back(last.blocks);
    last.pages = {}, last.blocks.clear();
  }
  if (blocks != BlockStatus::Ok) return fail("the host could not write a disk");
  if (auto ok = machine_.take_up(moment); !ok) return fail(ok.error().message);
  const auto next = std::find_if(steps_.begin(), steps_.end(), [&](const Steps& s) { return key(s.from) >= key(checkpoints_.back().at); });
  next_steps_ = static_cast<size_t>(next - steps_.begin());
  steps_done_ = 0;
  return true;
}

/// Goes on as it went, no further than the next thing that was written down. @param once  by the smallest piece
void History::repeat_piece(u64 goal_slots, bool once, std::optional<Hit>* last_hit) {
  const Position here = machine_.position();
  const Steps* const steps = next_steps_ < steps_.size() ? &steps_[next_steps_] : nullptr;
  const bool stepping = steps && (steps_done_ || steps->from == here);
  if (steps && !stepping) goal_slots = std::min(goal_slots, steps->from.slots);
  const auto piece = [&] {
    if (stepping) return machine_.step_held();
    return once || goal_slots <= here.slots ? machine_.run_once() : machine_.run(goal_slots - here.slots);
  };
  if (piece() == StopReason::Watch) {
    if (last_hit) *last_hit = Hit{machine_.position(), machine_.watch_hit()};
    machine_.suspend_watches(true);
    stepping ? machine_.step_held() : machine_.run_once();
    machine_.suspend_watches(last_hit == nullptr);
  }
  if (stepping && ++steps_done_ == steps->count) next_steps_++, steps_done_ = 0;
}

/// @param exact  to this very position; otherwise to where that many instructions have been executed
/// @param last_hit  not null: the last point passed before
History::Way History::repeat(const Position& goal, bool exact, std::optional<Hit>* last_hit) {
  machine_.suspend_watches(last_hit == nullptr);
  for (;;) {
    const Position here = machine_.position();
    if (exact ? here == goal : here.slots >= goal.slots) return Way::There;
    if (exact && key(here) > key(goal)) return fail("the machine does not go the way it went"), Way::Failed;
    if (machine_.called_off()) return Way::CalledOff;
    DebugStop stop{};
    if (last_hit && here.precedes(goal) && machine_.at_stop_address(stop)) *last_hit = Hit{here, stop};
    repeat_piece(goal.slots, false, last_hit);
  }
}

/// To shortly before a goal, with checkpoints on the way.
History::Way History::approach(const Position& goal) {
  for (const u64 distance : kApproach) {
    if (goal.slots - machine_.position().slots < 2 * distance) continue;
    if (const Way way = repeat({.slots = goal.slots - distance}, false, nullptr); way != Way::There) return way;
    if (!steps_done_) keep();
  }
  return Way::There;
}

// --- going back --------------------------------------------------------------------------------------------------------------

/// @returns the number of checkpoints before a position that is not one
size_t History::before(const Position& goal) const {
  size_t n = checkpoints_.size();
  while (n && !checkpoints_[n - 1].at.precedes(goal)) n--;
  return n;
}

History::Arrival History::arrive(Way way, const DebugStop& stop) {
  repeating_ = false;
  machine_.suspend_watches(false);
  if (way == Way::Failed) return {.end = End::Failed};
  if (steps_done_) {
    steps_[next_steps_].count = std::exchange(steps_done_, 0);
    steps_[next_steps_++].to = machine_.position();
  }
  steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(next_steps_), steps_.end());
  return {.end = way == Way::There ? End::Arrived : End::CalledOff, .stop = stop};
}

History::Arrival History::back_one() {
  if (!disks_.complete()) forget();
  const Position start = machine_.position();
  const size_t earlier = before(start);
  if (!earlier) return {};
  repeating_ = true;
  Way way = return_to(earlier - 1) ? approach(start) : Way::Failed;
  const u64 near = start.slots - std::min(start.slots, kMostPieceSlots);
  if (way == Way::There) way = repeat({.slots = near}, false, nullptr);
  Position last = machine_.position();
  while (way == Way::There && machine_.position().precedes(start)) {
    if (machine_.called_off()) way = Way::CalledOff;
    last = machine_.position();
    repeat_piece(start.slots, true, nullptr);
  }
  if (way != Way::There) return arrive(way, {.why = DebugStop::Why::Step});
  size_t n = checkpoints_.size();
  while (n > 1 && key(checkpoints_[n - 1].at) > key(last)) n--;
  way = return_to(n - 1) ? repeat(last, true, nullptr) : Way::Failed;
  return arrive(way, {.why = DebugStop::Why::Step});
}

History::Arrival History::back_to_point() {
  if (!disks_.complete()) forget();
  Position goal = machine_.position();
  size_t earlier = before(goal);
  if (!earlier) return {};
  repeating_ = true;
  for (; earlier; earlier--) {
    std::optional<Hit> hit;
    Way way = return_to(earlier - 1) ? repeat(goal, true, &hit) : Way::Failed;
    if (way == Way::There && hit) {
      way = return_to(earlier - 1) ? approach(hit->at) : Way::Failed;
      if (way == Way::There) way = repeat(hit->at, true, nullptr);
    }
    if (way != Way::There || hit) return arrive(way, hit ? hit->stop : DebugStop{.why = DebugStop::Why::Step});
    goal = checkpoints_.back().at;
  }
  const Way way = return_to(0) ? Way::There : Way::Failed;
  Arrival arrival = arrive(way, {.why = DebugStop::Why::HistoryBegin});
  if (arrival.end == End::Arrived) arrival.end = End::Begin;
  return arrival;
}

}  // namespace ia64::machine
