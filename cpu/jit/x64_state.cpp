// Access to guest state from generated code, and the checks at a block's entry.
#include <cstddef>

#include "base/bits.h"
#include "base/invariant.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {
template <class T>
constexpr i32 disp(T offset) { return static_cast<i32>(offset); }
constexpr int kFirstVector = 16;  ///< of the numbers that Place::reg has
constexpr size_t kRrbGr = offsetof(Registers, cfm) + offsetof(Cfm, rrb_gr);
constexpr size_t kRrbPr = offsetof(Registers, cfm) + offsetof(Cfm, rrb_pr);

/// Where an application register of the form lives. EC is a byte.
i32 application_offset(unsigned n) {
  if (n < 8) return disp(offsetof(Registers, kr)) + 8 * static_cast<i32>(n);
  switch (n) {
    case ar::kRsc: return disp(offsetof(Registers, rsc));
    case ar::kBspstore: return disp(offsetof(Registers, bspstore));
    case ar::kRnat: return disp(offsetof(Registers, rnat));
    case ar::kCsd: return disp(offsetof(Registers, csd));
    case ar::kSsd: return disp(offsetof(Registers, ssd));
    case ar::kCcv: return disp(offsetof(Registers, ccv));
    case ar::kUnat: return disp(offsetof(Registers, unat));
    case ar::kPfs: return disp(offsetof(Registers, pfs));
    default: INVARIANT(n == ar::kEc); return disp(offsetof(Registers, ec));
  }
}

}  // namespace

/// Leaves the number of a rotated register, counted from the region's start, in eax; uses ecx.
static void rotated_index(Assembler& a, size_t rrb, unsigned k, unsigned modulus) {
  a.movzx(eax, byte_ptr(rbx, disp(rrb)));
  if (k) a.add(eax, k);
  a.lea(ecx, dword_ptr(rax, -static_cast<i32>(modulus)));
  a.cmp(eax, modulus);
  a.cmovae(eax, ecx);
}

Mem X64Emitter::general(ir::Location l) {
  if (l.index < 32) return qword_ptr(rbx, disp(offsetof(Registers, gr_static)) + 8 * l.index);
  if (l.file != ir::File::RotatingGeneral) return qword_ptr(r14, 8 * (l.index - 32));
  rotated_index(a_, kRrbGr, l.index - 32u, l.modulus);
  return qword_ptr(r14, rax, 3);
}

Mem X64Emitter::nat_of(ir::Location l) {
  if (l.index < 32) return byte_ptr(rbx, disp(offsetof(Registers, gr_static_nat)) + l.index);
  const bool rotates = l.file == ir::File::RotatingGeneral;
  if (rotates) rotated_index(a_, kRrbGr, l.index - 32u, l.modulus);
  a_.mov(ecx, dword_ptr(rbx, disp(offsetof(Registers, bof))));
  if (rotates) a_.add(ecx, eax);
  return byte_ptr(rbx, rcx, 0, disp(offsetof(Registers, stack_nat)) + (rotates ? 0 : l.index - 32));
}

Mem X64Emitter::predicate(ir::Location l) {
  constexpr i32 kFirst = disp(offsetof(Registers, pr_phys));
  if (l.file == ir::File::Predicate) return byte_ptr(rbx, kFirst + l.index);
  rotated_index(a_, kRrbPr, l.index - 16u, 48);
  return byte_ptr(rbx, rax, 0, kFirst + 16);
}

void X64Emitter::emit_get(const Op& op, Value v) {
  const ir::Location l = ir::Location::unpack(op.imm);
  if (l.file == ir::File::Window) return emit_open_window(v);
  const Gp d = define(v);
  switch (l.file) {
    case ir::File::General:
    case ir::File::RotatingGeneral: a_.mov(d, general(l)); break;
    case ir::File::Predicate:
    case ir::File::RotatingPredicate: a_.movzx(d.r32(), predicate(l)); break;
    case ir::File::Branch: a_.mov(d, qword_ptr(rbx, disp(offsetof(Registers, br)) + 8 * l.index)); break;
    case ir::File::LoopCount: a_.mov(d, qword_ptr(rbx, disp(offsetof(Registers, lc)))); break;
    case ir::File::Float:
    case ir::File::FloatInteger: break;  // have operations of their own
    case ir::File::Application:
      if (l.index == ar::kEc) {
        a_.movzx(d.r32(), byte_ptr(rbx, application_offset(l.index)));
      } else {
        a_.mov(d, qword_ptr(rbx, application_offset(l.index)));
      }
      break;
    case ir::File::Control: a_.mov(d, qword_ptr(rbx, control_offset(l.index))); break;
    case ir::File::Window: break;
  }
}

void X64Emitter::emit_set(const Op& op) {
  const ir::Location l = ir::Location::unpack(op.imm);
  if (l.file == ir::File::Float) return store_float(l, use_float(op.a));
  if (const auto known = flags_say(op.a); known && home_[op.a].reg < 0) return a_.set(*known, predicate(l)), void();
  i32 k;
  small_constant(op.a, k) ? store(l, k) : store(l, use(op.a, rdx));
}

/// @param value  not rax or rcx
void X64Emitter::store(ir::Location l, const Gp& value) {
  switch (l.file) {
    case ir::File::General:
    case ir::File::RotatingGeneral: a_.mov(general(l), value); break;
    case ir::File::Predicate:
    case ir::File::RotatingPredicate: a_.mov(predicate(l), value.r8()); break;
    case ir::File::Branch: a_.mov(qword_ptr(rbx, disp(offsetof(Registers, br)) + 8 * l.index), value); break;
    case ir::File::LoopCount: a_.mov(qword_ptr(rbx, disp(offsetof(Registers, lc))), value); break;
    case ir::File::Float:
    case ir::File::FloatInteger: store_float_bits(l, value); break;
    case ir::File::Application:
      l.index == ar::kEc ? a_.mov(byte_ptr(rbx, application_offset(l.index)), value.r8()) : a_.mov(qword_ptr(rbx, application_offset(l.index)), value);
      break;
    case ir::File::Control: a_.mov(qword_ptr(rbx, control_offset(l.index)), value); break;
    case ir::File::Window: emit_close_window(value); break;
  }
}

void X64Emitter::store(ir::Location l, i32 k) {
  switch (l.file) {
    case ir::File::General:
    case ir::File::RotatingGeneral: a_.mov(general(l), k); break;
    case ir::File::Predicate:
    case ir::File::RotatingPredicate: a_.mov(predicate(l), k); break;
    case ir::File::Branch: a_.mov(qword_ptr(rbx, disp(offsetof(Registers, br)) + 8 * l.index), k); break;
    case ir::File::LoopCount: a_.mov(qword_ptr(rbx, disp(offsetof(Registers, lc))), k); break;
    case ir::File::Float:
    case ir::File::FloatInteger: store_float_bits(l, k); break;
    case ir::File::Application:
      a_.mov(l.index == ar::kEc ? byte_ptr(rbx, application_offset(l.index)) : qword_ptr(rbx, application_offset(l.index)), k);
      break;
    case ir::File::Control: a_.mov(qword_ptr(rbx, control_offset(l.index)), k); break;
    case ir::File::Window: break;  // no place is known beforehand
  }
}

X64Emitter::WayOut X64Emitter::snapshot(u32 list, ir::Frame frame) const {
  WayOut out{{}, frame};
  for (const ir::PendingWrite& w : unit_.pending(list)) {
    Stored s;
    s.location = ir::Location::unpack(w.location);
    if (!constant(w.value, s.constant)) {
      s.place = place_of(w.value), s.inverse = w.inverse, s.factor = w.factor, s.addend = w.addend;
      if (w.plus != ir::kNone) s.more = place_of(w.plus);
    } else {
      s.constant ^= w.inverse;
    }
    out.writes.push_back(s);
  }
  return out;
}

/// Leaves the sum in rdx. Uses rax.
void X64Emitter::compute_sum(const Stored& s) {
  const auto with = [this](Inst::Id id, const Place& p) {
    p.reg >= 0 ? a_.emit(id, rdx, gpq(static_cast<u32>(p.reg))) : a_.emit(id, rdx, qword_ptr(rsp, p.slot * 8));
  };
  with(Inst::kIdMov, s.place);
  if (s.factor == -1) a_.neg(rdx);
  else if (s.factor != 1) a_.imul(rdx, rdx, s.factor);
  if (s.more.value != ir::kNone) with(Inst::kIdAdd, s.more);
  if (s.addend == static_cast<i32>(s.addend)) {
    if (s.addend) a_.add(rdx, static_cast<i32>(s.addend));
    return;
  }
  a_.mov(rax, s.addend);
  a_.add(rdx, rax);
}

/// From the unit's own frame to that of an inlined call.
void X64Emitter::make_frame(ir::Frame frame) {
  if (frame.shift == 0) return;
  a_.add(dword_ptr(rbx, disp(offsetof(Registers, bof))), frame.shift);
  a_.add(dword_ptr(rbx, disp(offsetof(Registers, rse_dirty))), frame.shift);
  a_.mov(qword_ptr(rbx, disp(offsetof(Registers, cfm))), frame.sof);
  a_.add(r14, frame.shift * 8);
}

void X64Emitter::unmake_frame(ir::Frame frame) {
  if (frame.shift == 0) return;
  a_.sub(dword_ptr(rbx, disp(offsetof(Registers, bof))), frame.shift);
  a_.sub(dword_ptr(rbx, disp(offsetof(Registers, rse_dirty))), frame.shift);
  a_.mov(qword_ptr(rbx, disp(offsetof(Registers, cfm))), (unit_.own_frame & 0x7f) | unit_.own_frame >> 7 << 8);
  a_.sub(r14, frame.shift * 8);
}

void X64Emitter::store_pending(const WayOut& out) {
  store_known_predicates(out.writes);
  for (const Stored& s : out.writes) {
    if (is_known_predicate(s)) continue;
    if (s.place.value != ir::kNone && s.place.reg >= kFirstVector) {
      store_float(s.location, xmm(static_cast<u32>(s.place.reg - kFirstVector)));
      continue;
    }
    if (s.is_sum()) {
      compute_sum(s);
      store(s.location, rdx);
      continue;
    }
    if (s.inverse) {
      s.place.reg >= 0 ? a_.mov(edx, gpd(static_cast<u32>(s.place.reg))) : a_.mov(edx, dword_ptr(rsp, s.place.slot * 8));
      a_.xor_(edx, 1);
      store(s.location, rdx);
      continue;
    }
    if (s.place.value != ir::kNone && s.place.reg >= 0) {
      store(s.location, gpq(static_cast<u32>(s.place.reg)));
      continue;
    }
    if (s.place.value != ir::kNone) {
      a_.mov(rdx, qword_ptr(rsp, s.place.slot * 8));
    } else if (s.constant == static_cast<u64>(static_cast<i64>(static_cast<i32>(s.constant)))) {
      store(s.location, static_cast<i32>(s.constant));
      continue;
    } else {
      a_.mov(rdx, s.constant);
    }
    store(s.location, rdx);
  }
  make_frame(out.frame);
}

bool X64Emitter::is_known_predicate(const Stored& s) { return s.location.file == ir::File::Predicate && s.place.value == ir::kNone; }

/// Constants for predicates whose bytes lie side by side go in one write.
void X64Emitter::store_known_predicates(const std::vector<Stored>& writes) {
  std::bitset<64> known, set;
  for (const Stored& s : writes)
    if (is_known_predicate(s)) known.set(s.location.index), set.set(s.location.index, s.constant != 0);
  const auto side_by_side = [&](u32 first, u32 count) {
    for (u32 n = first; n < first + count; n++)
      if (n >= 64 || !known[n]) return false;
    return true;
  };
  for (u32 n = 0; n < 64;) {
    if (!known[n]) {
      n++;
      continue;
    }
    const u32 count = side_by_side(n, 4) ? 4 : side_by_side(n, 2) ? 2 : 1;
    u32 bytes = 0;
    for (u32 k = 0; k < count; k++) bytes |= u32{set[n + k]} << 8 * k;
    Mem place = byte_ptr(rbx, disp(offsetof(Registers, pr_phys)) + static_cast<i32>(n));
    place.setSize(count);
    a_.mov(place, bytes);
    n += count;
  }
}

/// Looks for events, and leaves unless the NaT bytes of all registers the unit takes for clean are zero: at once when there is no NaT
/// at all, else all groups of eight that hold one, then exactly those registers.
void X64Emitter::check_entry() {
  const std::bitset<128> clean = unit_.assumed_clean | unit_.clean_frame;
  if (clean.none()) {
    a_.cmp(dword_ptr(rbx, l_.attention), 0);
    a_.jne(bail_);
    return;
  }
  const Label look = a_.newLabel(), fine = a_.newLabel();
  a_.cmp(qword_ptr(rbx, l_.attention), 0);
  a_.jne(look);
  a_.bind(fine);
  later([this, look, fine, clean] {
    a_.bind(look);
    a_.cmp(dword_ptr(rbx, l_.attention), 0);
    a_.jne(bail_);
    check_nats(clean, fine);
  });
}

/// Goes to `fine`, or leaves.
void X64Emitter::check_nats(const std::bitset<128>& clean, Label fine) {
  u64 masks[16] = {};
  for (unsigned r = 1; r < 128; r++)
    if (clean[r]) masks[r / 8] |= u64{0xff} << (r % 8 * 8);
  bool rotating = false, stacked = false;
  for (unsigned r = 32; r < 32u + unit_.mode.rotating; r++) rotating |= clean[r];
  if (rotating)
    for (unsigned r = 32; r < 32u + unit_.mode.rotating; r++) masks[r / 8] |= u64{0xff} << (r % 8 * 8);
  for (unsigned g = 4; g < 16; g++) stacked |= masks[g] != 0;
  if (stacked) a_.mov(ecx, dword_ptr(rbx, disp(offsetof(Registers, bof))));
  const auto nats = [](unsigned g) {
    return g < 4 ? qword_ptr(rbx, disp(offsetof(Registers, gr_static_nat)) + 8 * static_cast<i32>(g))
                 : qword_ptr(rbx, rcx, 0, disp(offsetof(Registers, stack_nat)) + 8 * static_cast<i32>(g - 4));
  };
  unsigned groups = 0;
  for (unsigned g = 0; g < 16; g++) {
    if (!masks[g]) continue;
    groups++ == 0 ? a_.mov(rax, nats(g)) : a_.or_(rax, nats(g));
  }
  a_.test(rax, rax);
  a_.jz(fine);
  for (unsigned g = 0; g < 16; g++) {
    if (!masks[g]) continue;
    a_.mov(rax, masks[g]);
    a_.test(nats(g), rax);
    a_.jnz(bail_);
  }
  a_.jmp(fine);
}

/// Counts down to the making of a region; later goes there.
void X64Emitter::count_entry() {
  const Label hot = a_.newLabel();
  a_.mov(rax, imm(&native_));
  a_.dec(dword_ptr(rax, offsetof(NativeBlock, countdown)));
  a_.jle(hot);
  later([this, hot] {
    a_.bind(hot);
    a_.jmp(qword_ptr(rax, offsetof(NativeBlock, hot)));
  });
}

/// A region of several pages is right as long as no fetch key has changed: else the engine looks again.
void X64Emitter::check_pages() {
  const Label changed = a_.newLabel();
  const i32 key = static_cast<i32>(unit_.mode.fetch * 8u + (unit_.ip >> 61)) * 8;
  a_.mov(rax, imm(&native_.key));
  a_.mov(rcx, qword_ptr(rbx, l_.fetch_keys + key));
  a_.cmp(rcx, qword_ptr(rax));
  a_.jne(changed);
  later([this, changed] {
    a_.bind(changed);
    a_.mov(rax, imm(native_.fallback));
    a_.jmp(imm(stubs_.hot));
  });
}

/// What inlined calls take for granted: there is room for their frames, and AR.PFS is a constant behind them.
void X64Emitter::check_room() {
  a_.cmp(byte_ptr(rbx, application_offset(ar::kEc)), 0);
  a_.jne(bail_);
  a_.cmp(dword_ptr(rbx, disp(offsetof(Registers, bof))), static_cast<i32>(Registers::kStackSlots - NativeScratch::kFrameMargin - (unit_.own_frame >> 7)));
  a_.ja(bail_);
}

void X64Emitter::prologue() {
  entry_ = a_.newLabel();
  bail_ = a_.newLabel();
  uncounted_ = a_.newLabel();
  a_.bind(entry_);
  if (native_.countdown > 0) count_entry();
  a_.bind(uncounted_);
  if (native_.several_pages) check_pages();
  check_entry();
  a_.cmp(rbp, unit_.slots);
  a_.jl(bail_);
  if (unit_.needed_sof && (!unit_.mode.frame || unit_.mode.sof() < unit_.needed_sof)) {
    a_.cmp(byte_ptr(rbx, disp(offsetof(Registers, cfm) + offsetof(Cfm, sof))), unit_.needed_sof);
    a_.jb(bail_);
  }
  if (unit_.own_frame) check_room();
  later([this] {
    a_.bind(bail_);
    if (native_.fallback) {
      a_.jmp(imm(native_.fallback->uncounted));
      return;
    }
    a_.mov(rax, imm(&native_));
    a_.jmp(imm(stubs_.bail));
  });
}

}  // namespace ia64::cpu::jit
