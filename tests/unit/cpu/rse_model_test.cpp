// The register stack engine against a naive model: registers on an endless tape, memory written by hand.
#include <map>
#include <random>

#include "cpu/exec/handlers.h"
#include "cpu/rse/rse.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

struct Value {
  u64 v = 0;
  bool nat = false;
};

/// Where register number k of the tape lives: 63 registers, then one collection word.
u64 address_of(u64 base, i64 k) {
  return base + 8 * static_cast<u64>(k + k / 63);
}
u64 collection_of(u64 base, i64 k) {
  return base + 512 * static_cast<u64>(k / 63) + 8 * 63;
}

/// One register stack: the real one is driven by handlers, the model by the definitions of the manual.
class Duel {
 public:
  explicit Duel(unsigned seed) : random_(seed) {
    r().cfm = {};
    r().bspstore = kBase;
  }

  void step() {
    switch (pick(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: alloc(); break;
      case 5:
      case 6:
      case 7:
      case 8:
      case 9: call(); break;
      case 10:
      case 11:
      case 12:
      case 13: ret(); break;
      case 14: flush(); break;
      case 15: cover_and_back(); break;
      case 16: load_after_flush(); break;
      case 17: switch_stack(); break;
      case 18: change_memory(); break;
      default: scribble(); break;
    }
    check();
  }

 private:
  static constexpr u64 kBase = BareMachine::kStack;
  struct Frame {
    unsigned sof, sol;
    u64 pfs;
  };

  Registers& r() { return m_.regs(); }
  Core& core() { return m_.core(); }
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  Value random_value() { return {random_(), pick(4) == 0}; }

  void perform(Handler handler, Insn i = {}) {
    REQUIRE(handler(core(), i) != Next::Fault);
    if (r().rse_cfle) REQUIRE(core().rse().complete_frame() != Next::Fault);
  }
  void write(unsigned reg, Value value) {
    r().set_gr_nat(32 + reg, value.v, value.nat);
    tape_[bottom_ + reg] = value;
  }
  void write_from(unsigned first) {
    for (unsigned n = first; n < r().cfm.sof; n++) write(n, random_value());
  }

  void alloc() {
    const unsigned sof = pick(3) ? pick(20) : pick(97);
    const unsigned sol = sof ? pick(sof + 1) : 0;
    const unsigned old = r().cfm.sof;
    Insn i;
    i.imm = sof | sol << 7;
    i.r1 = 3;
    perform(&alloc_m34, i);
    CHECK(r().gr(3) == r().pfs);
    write_from(old);
  }

  void call() {
    if (frames_.size() > 400) return;
    frames_.push_back({r().cfm.sof, r().cfm.sol, r().pfs});
    bottom_ += r().cfm.sol;
    Insn i;
    perform(&br_call_b3, i);
    CHECK(field(r().pfs, 0, 7) == frames_.back().sof);
  }

  void ret() {
    if (frames_.empty()) return;
    const Frame f = frames_.back();
    frames_.pop_back();
    r().pfs = f.sof | u64{f.sol} << 7;
    // Dirty registers that loadrs brought may leave no room for the outputs: the manual demands a flushrs
    // there (6.5.5).
    if (static_cast<i32>(f.sof - f.sol) > 96 - r().rse_dirty) perform(&flushrs_m25);
    bottom_ -= f.sol;
    perform(&br_ret_b4);
    CHECK(r().cfm.sof == f.sof);
    CHECK(r().cfm.sol == f.sol);
    r().pfs = f.pfs;
    write_from(f.sol);  // outputs hold whatever the callee left
  }

  void flush() {
    perform(&flushrs_m25);
    CHECK(r().rse_dirty == 0);
    CHECK(r().bspstore == core().rse().bsp());
    for (const auto& [k, value] : tape_) {
      if (k < 0 || k >= bottom_) continue;
      CHECK(m_.read64(address_of(kBase, k)) == value.v);
      const u64 collection = k / 63 == bottom_ / 63 ? r().rnat : m_.read64(collection_of(kBase, k));
      CHECK(field(collection, static_cast<unsigned>(k % 63), 1) == value.nat);
    }
  }

  /// cover, as an interruption handler does, then rfi's way back.
  void cover_and_back() {
    const Cfm frame = r().cfm;
    perform(&cover_b8);
    CHECK(r().ifs == (frame.pack() | bit(63)));
    CHECK(core().rse().bsp() == address_of(kBase, bottom_ + frame.sof));
    if (pick(2)) perform(&flushrs_m25);
    r().iip = 0x1000, r().ipsr = psr::kBn;
    perform(&rfi_b8);
    CHECK(r().cfm == frame);
  }

  /// Kernel exit: everything to memory, then part of it back by loadrs.
  void load_after_flush() {
    const Cfm frame = r().cfm;
    perform(&cover_b8);
    perform(&flushrs_m25);
    const u64 bsp = core().rse().bsp();
    const u64 most = std::min<u64>(97 * 8, bsp - kBase);
    const u64 bytes = most ? pick(static_cast<unsigned>(most)) & ~7u : 0;
    r().rsc = bytes << 16;
    perform(&loadrs_m25);
    CHECK(r().bspstore == bsp - bytes);
    CHECK(core().rse().bsp() == bsp);
    r().rsc = 0;
    r().iip = 0x1000, r().ipsr = psr::kBn, r().ifs = frame.pack() | bit(63);
    perform(&rfi_b8);
  }

  /// Another stack is used for a while, as a context switch does.
  void switch_stack() {
    const Cfm frame = r().cfm;
    const u64 pfs = r().pfs;
    perform(&cover_b8);
    perform(&flushrs_m25);
    const u64 bspstore = r().bspstore, rnat = r().rnat;
    core().rse().set_bspstore(0x300000);
    r().rnat = 0;
    for (unsigned n = 0; n < 5; n++) {
      Insn i;
      i.imm = 60 | 50 << 7, i.r1 = 3;
      perform(&alloc_m34, i);
      for (unsigned reg = 32; reg < 92; reg++) r().set_gr_nat(reg, random_(), true);
      perform(&br_call_b3);
    }
    perform(&flushrs_m25);
    r().cfm = {};
    core().rse().set_bspstore(bspstore);
    r().rnat = rnat;
    r().pfs = pfs;
    r().iip = 0x1000, r().ipsr = psr::kBn, r().ifs = frame.pack() | bit(63);
    perform(&rfi_b8);
  }

  /// Software rewrites a spilled register; the new value must come back.
  void change_memory() {
    if (bottom_ <= 0) return;
    perform(&flushrs_m25);
    const i64 k = pick(static_cast<unsigned>(bottom_));
    const u64 v = random_();
    m_.write64(address_of(kBase, k), v);
    tape_[k].v = v;
  }

  void scribble() {
    if (r().cfm.sof) write(pick(r().cfm.sof), random_value());
  }

  void check() {
    CHECK(core().rse().bsp() == address_of(kBase, bottom_));
    CHECK(r().rse_dirty + r().cfm.sof <= 96);
    CHECK(r().rse_dirty >= 0);
    for (unsigned n = 0; n < r().cfm.sof; n++) {
      const Value& expected = tape_[bottom_ + n];
      if (r().gr(32 + n) != expected.v || r().nat(32 + n) != expected.nat) {
        CAPTURE(n, bottom_);
        CHECK(r().gr(32 + n) == expected.v);
        CHECK(r().nat(32 + n) == expected.nat);
      }
    }
  }

  BareMachine m_;
  std::mt19937_64 random_;
  std::map<i64, Value> tape_;
  i64 bottom_ = 0;
  std::vector<Frame> frames_;
};

}  // namespace

TEST_CASE("random register stack traffic equals the naive model", "[rse]") {
  for (unsigned seed = 1; seed <= 6; seed++) {
    CAPTURE(seed);
    Duel duel(seed);
    for (unsigned n = 0; n < 4000; n++) duel.step();
  }
}

TEST_CASE("backing store addresses skip one word in 64", "[rse]") {
  // First addresses at every slot, all distances that matter, against counting step by step.
  for (u64 slot = 0; slot < 63; slot++) {
    const u64 start = 0x10000 + 8 * slot;
    u64 up = start, down = start;
    for (i64 n = 1; n <= 200; n++) {
      up += 8;
      if ((up & 0x1f8) == 0x1f8) up += 8;
      down -= 8;
      if ((down & 0x1f8) == 0x1f8) down -= 8;
      CHECK(Rse::skip(start, n) == up);
      CHECK(Rse::skip(start, -n) == down);
    }
  }
}
