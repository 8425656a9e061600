// Regions, prologues and epilogues, record by record.
#include "machine/debugger/unwind_state.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace ia64::machine::debugger {
namespace {

using Place = UnwindState::Place;
using Kind = Place::Kind;

constexpr u64 kNever = ~u64{0};
constexpr i64 kNoSlot = INT64_MAX;
constexpr size_t kMostStates = 64;  // pushed or labelled: more are no work of a compiler
constexpr i64 kScratchBytes = 16;   // of the caller's frame, below which offsets of PspRelative count

/// Bytes of descriptors; beyond the end there are zeros, and `bad` is set.
struct Bytes {
  std::span<const u8> left;
  bool bad = false;

  u8 next() {
    if (left.empty()) return bad = true, u8{0};
    const u8 b = left.front();
    left = left.subspan(1);
    return b;
  }
  /// ULEB128.
  u64 number() {
    u64 out = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const u8 b = next();
      out |= static_cast<u64>(b & 0x7f) << shift;
      if (!(b & 0x80)) return out;
    }
    return bad = true, out;
  }
  void skip(u64 n) {
    bad = bad || n > left.size();
    left = left.subspan(std::min<u64>(n, left.size()));
  }
};

/// A place and the slot behind which it counts; kNever with a place: from the end of the prologue on.
struct Saved {
  Place place;
  i64 when = kNoSlot;
};
struct State {
  Saved rp, pfs, psp;
};

class Reader {
 public:
  Reader(std::span<const u8> descriptors, u64 slot) : in_{descriptors}, slot_(slot) {}

  UnwindState run() {
    while (!done_ && !in_.bad && !in_.left.empty()) {
      const u8 b = in_.next();
      if (b < 0x80)
        region(b);
      else if (b >= 0xf9 && b <= 0xfc)
        general(b);
      else
        body_ ? in_body(b) : in_prologue(b);
    }
    if (slot_ > epilogue_start_) leave_frame();
    return {.rp = at_slot(now_.rp), .pfs = at_slot(now_.pfs), .psp = at_slot(now_.psp), .interruption = interruption_};
  }

 private:
  Place at_slot(const Saved& s) const { return s.when != kNoSlot && static_cast<i64>(slot_) > s.when ? s.place : Place{}; }

  /// The memory stack frame is gone, and what was kept in it has been restored.
  void leave_frame() {
    now_.psp = {};
    for (Saved* s : {&now_.rp, &now_.pfs})
      if (s->place.kind == Kind::SpRelative || (s->place.kind == Kind::PspRelative && s->place.value <= kScratchBytes)) *s = {};
  }

  // R1 to R3
  void region(u8 b) {
    u64 length;
    unsigned mask = 0, general_register = 0;
    bool body = false;
    if (b < 0x40) {
      body = b & 0x20;
      length = b & 0x1f;
    } else if (b < 0x48) {
      const u8 second = in_.next();
      mask = static_cast<unsigned>(b & 7) << 1 | second >> 7;
      general_register = second & 0x7f;
      length = in_.number();
    } else if (b >= 0x60 && b < 0x64) {
      body = b & 1;
      length = in_.number();
    } else {
      in_.bad = true;
      return;
    }
    enter(body, length);
    if (done_ || body) return;
    for (const auto& [bit, saved] : {std::pair(8u, &now_.rp), {4u, &now_.pfs}, {2u, &now_.psp}})
      if (mask & bit) *saved = {{Kind::General, static_cast<i64>(general_register++)}};
  }

  void enter(bool body, u64 length) {
    if (!first_ && !body_)
      for (Saved* s : {&now_.rp, &now_.pfs, &now_.psp})
        if (s->when == kNoSlot && s->place.kind != Kind::Untouched) s->when = last_slot();
    first_ = false;
    if (slot_ < begin_ + length_) return void(done_ = true);
    begin_ += length_;
    for (; pops_ && !outer_.empty(); pops_--) now_ = outer_.back(), outer_.pop_back();
    pops_ = 0;
    epilogue_start_ = kNever;
    length_ = length;
    body_ = body;
    if (body) return;
    outer_.push_back(now_);
    in_.bad = in_.bad || outer_.size() > kMostStates;
  }

  /// Of a region; the one before it when it has no length, as where a handler of Linux begins.
  i64 last_slot() const { return static_cast<i64>(begin_ + length_) - 1; }
  i64 when(u64 t) const { return std::min(static_cast<i64>(begin_ + std::min(t, length_)), last_slot()); }

  static constexpr u8 kSvr4 = 0, kLinux = 3;  ///< of P10; the kernel's handlers say 3, which the conventions do not list

  // P1 to P10
  void in_prologue(u8 b) {
    if (b < 0xa0) return;                        // P1: branch registers in memory
    if (b < 0xb0) return void(in_.next());       // P2: branch registers in general ones
    if (b < 0xb8) return register_moved(b);      // P3
    if (b == 0xb8) return in_.skip((length_ * 2 + 7) / 8);  // P4: a mask of spills
    if (b == 0xb9) return in_.skip(3);           // P5: registers in memory
    if (b >= 0xc0 && b < 0xe0) return;           // P6: the same
    if (b >= 0xe0 && b < 0xf0) return stack_frame(b & 15);  // P7
    if (b == 0xf0) return sp_relative();         // P8
    if (b == 0xf1) return in_.skip(2);           // P9: general registers in general ones
    if (b == 0xff) {                             // P10
      const u8 abi = in_.next(), context = in_.next();
      interruption_ = interruption_ || ((abi == kSvr4 || abi == kLinux) && context == 'i');
      return;
    }
    in_.bad = true;
  }

  void register_moved(u8 b) {
    const u8 second = in_.next();
    const Place general{Kind::General, second & 0x7f};
    switch (static_cast<unsigned>(b & 7) << 1 | second >> 7) {
      case 0: now_.psp.place = general; break;
      case 1: now_.rp.place = general; break;
      case 2: now_.pfs.place = general; break;
      case 6: now_.rp.place = {Kind::Branch, second & 0x7f}; break;
      default: break;
    }
  }

  void stack_frame(unsigned r) {
    const u64 value = in_.number();
    switch (r) {
      case 0: now_.psp = {{Kind::StackPointer, static_cast<i64>(16 * in_.number())}, when(value)}; break;
      case 1: now_.psp.when = when(value); break;
      case 3: now_.psp.place = {Kind::SpRelative, static_cast<i64>(4 * value)}; break;
      case 4: now_.rp.when = when(value); break;
      case 5: now_.rp.place = {Kind::PspRelative, kScratchBytes - static_cast<i64>(4 * value)}; break;
      case 6: now_.pfs.when = when(value); break;
      case 7: now_.pfs.place = {Kind::PspRelative, kScratchBytes - static_cast<i64>(4 * value)}; break;
      default: break;
    }
  }

  void sp_relative() {
    const u8 r = in_.next();
    const Place place{Kind::SpRelative, static_cast<i64>(4 * in_.number())};
    if (r == 1) now_.rp.place = place;
    if (r == 2) now_.pfs.place = place;
  }

  // B1 to B4
  void in_body(u8 b) {
    if (b < 0xc0) return label(b & 0x1f, b & 0x20);
    if (b < 0xe0) return epilogue(in_.number(), b & 0x1f);
    if (b == 0xe0) {
      const u64 t = in_.number();
      return epilogue(t, in_.number());
    }
    if (b == 0xf0 || b == 0xf8) return label(in_.number(), b & 8);
    in_.bad = true;
  }

  void epilogue(u64 t, u64 count) {
    epilogue_start_ = begin_ + length_ - std::min(length_, t + 1);
    pops_ = count + 1;
  }

  void label(u64 number, bool copy) {
    if (!copy) {
      if (labels_.size() < kMostStates) labels_[number] = {now_, outer_};
    } else if (const auto found = labels_.find(number); found != labels_.end()) {
      now_ = found->second.first;
      outer_ = found->second.second;
    }
  }

  // X1 to X4: any register anywhere
  void general(u8 b) {
    const bool predicated = b >= 0xfb, to_register = b == 0xfa || b == 0xfc;
    if (predicated) in_.next();
    const u8 from = in_.next(), to = to_register ? in_.next() : u8{0};
    const u64 t = in_.number(), offset = to_register ? 0 : in_.number();
    constexpr u8 kRp = 0x63, kPfs = 0x69, kPsp = 0x61;
    const u8 name = from & 0x7f;
    Saved* const saved = name == kRp ? &now_.rp : name == kPfs ? &now_.pfs : name == kPsp ? &now_.psp : nullptr;
    if (!saved || predicated) return;
    const bool sp = from & 0x80;
    Place place{sp ? Kind::SpRelative : Kind::PspRelative, sp ? static_cast<i64>(4 * offset) : kScratchBytes - static_cast<i64>(4 * offset)};
    if (to_register) place = {(from & 0x80) ? Kind::Branch : Kind::General, to & 0x7f};
    *saved = {place, when(t)};
  }

  Bytes in_;
  const u64 slot_;
  State now_;
  std::vector<State> outer_;
  std::map<u64, std::pair<State, std::vector<State>>> labels_;
  u64 begin_ = 0, length_ = 0, epilogue_start_ = kNever, pops_ = 0;
  bool first_ = true, body_ = false, done_ = false, interruption_ = false;
};

}  // namespace

UnwindState unwind_state(std::span<const u8> descriptors, u64 slot) { return Reader(descriptors, slot).run(); }

}  // namespace ia64::machine::debugger
