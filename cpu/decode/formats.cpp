// Operand extraction: one small function per group of formats that share a layout.
#include "cpu/decode/formats.h"

#include <array>

#include "base/bits.h"

namespace ia64::cpu {
namespace {

/// The bits an extractor works on.
struct Slot {
  u64 bits;
  u64 lslot;
  u64 at(unsigned pos, unsigned len) const { return field(bits, pos, len); }
  u8 byte(unsigned pos, unsigned len) const { return static_cast<u8>(field(bits, pos, len)); }
  u64 s() const { return at(36, 1); }
};

using Extract = void (*)(const Slot&, Insn&);

void none(const Slot&, Insn&) {}
/// Formats whose low six bits are not a predicate.
void no_qp(const Slot&, Insn& i) { i.qp = 0; }

// --- A ------------------------------------------------------------------------------------------------------------------
void a1(const Slot& w, Insn& i) {
  const u64 x4 = w.at(29, 4), x2b = w.at(27, 2);
  i.imm = (x4 == 0 && x2b == 1) || (x4 == 1 && x2b == 0);  // the ",1" forms
}
void a2(const Slot& w, Insn& i) { i.pos = static_cast<u8>(w.at(27, 2) + 1); }
void imm8(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 7 | w.at(13, 7), 8); }
void a4(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 13 | w.at(27, 6) << 7 | w.at(13, 7), 14); }
void a5(const Slot& w, Insn& i) {
  i.r3 = w.byte(20, 2);
  i.imm = sign_extend(w.s() << 21 | w.at(22, 5) << 16 | w.at(27, 9) << 7 | w.at(13, 7), 22);
}
void predicates(const Slot& w, Insn& i) {
  i.p1 = w.byte(6, 6);
  i.p2 = w.byte(27, 6);
  i.r1 = 0;
}
void a7(const Slot& w, Insn& i) {
  predicates(w, i);
  i.r2 = 0;
}
void a8(const Slot& w, Insn& i) {
  predicates(w, i);
  imm8(w, i);
}

// --- I ------------------------------------------------------------------------------------------------------------------
void i1(const Slot& w, Insn& i) {
  static constexpr u8 kCounts[] = {0, 7, 15, 16};
  i.pos = kCounts[w.at(30, 2)];
}
void i3(const Slot& w, Insn& i) { i.imm = w.at(20, 4); }
void i4(const Slot& w, Insn& i) { i.imm = w.at(20, 8); }
void i6(const Slot& w, Insn& i) { i.pos = w.byte(14, 5); }
void i8(const Slot& w, Insn& i) { i.pos = static_cast<u8>(31 - w.at(20, 5)); }
void i10(const Slot& w, Insn& i) { i.pos = w.byte(27, 6); }
void i11(const Slot& w, Insn& i) {
  i.pos = w.byte(14, 6);
  i.len = static_cast<u8>(w.at(27, 6) + 1);
}
void i12(const Slot& w, Insn& i) {
  i.pos = static_cast<u8>(63 - w.at(20, 6));
  i.len = static_cast<u8>(w.at(27, 6) + 1);
}
void i13(const Slot& w, Insn& i) {
  i12(w, i);
  imm8(w, i);
}
void i14(const Slot& w, Insn& i) {
  i.pos = static_cast<u8>(63 - w.at(14, 6));
  i.len = static_cast<u8>(w.at(27, 6) + 1);
  i.imm = sign_extend(w.s(), 1);
}
void i15(const Slot& w, Insn& i) {
  i.pos = static_cast<u8>(63 - w.at(31, 6));
  i.len = static_cast<u8>(w.at(27, 4) + 1);
}
void i16(const Slot& w, Insn& i) {
  predicates(w, i);
  i.pos = w.byte(14, 6);
}
void i30(const Slot& w, Insn& i) {
  predicates(w, i);
  i.pos = static_cast<u8>(w.at(14, 5) + 32);
}
void imm21(const Slot& w, Insn& i) { i.imm = w.s() << 20 | w.at(6, 20); }
void chk_s(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 20 | w.at(20, 13) << 7 | w.at(6, 7), 21) << 4; }
void i21(const Slot& w, Insn& i) {
  i.r1 = w.byte(6, 3);
  i.imm = sign_extend(w.at(24, 9), 9) << 4;
  i.x = static_cast<u8>(w.at(20, 2) | w.at(23, 1) << 2 | w.at(22, 1) << 3);
}
void i22(const Slot& w, Insn& i) { i.r2 = w.byte(13, 3); }
void i23(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 16 | w.at(24, 8) << 8 | w.at(6, 7) << 1, 17); }
void i24(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 43 | w.at(6, 27) << 16, 44); }

// --- M ------------------------------------------------------------------------------------------------------------------
void hint(const Slot& w, Insn& i) { i.x = w.byte(28, 2); }
// Forms with a free field have a third hint bit there, used by later processors only.
void load_hint(const Slot& w, Insn& i) { i.x = static_cast<u8>(w.at(28, 2) | w.at(19, 1) << 2); }
void store_hint(const Slot& w, Insn& i) { i.x = static_cast<u8>(w.at(28, 2) | w.at(12, 1) << 2); }
void load_imm9(const Slot& w, Insn& i) {
  hint(w, i);
  i.imm = sign_extend(w.s() << 8 | w.at(27, 1) << 7 | w.at(13, 7), 9);
}
void store_imm9(const Slot& w, Insn& i) {
  hint(w, i);
  i.imm = sign_extend(w.s() << 8 | w.at(27, 1) << 7 | w.at(6, 7), 9);
}
void m15(const Slot& w, Insn& i) {
  load_imm9(w, i);
  store_hint(w, i);
}
void m12(const Slot& w, Insn& i) {
  hint(w, i);
  i.imm = w.at(30, 2) == 2 ? 8 : 16;
}
void m17(const Slot& w, Insn& i) {
  static constexpr u8 kIncrements[] = {16, 8, 4, 1};
  hint(w, i);
  const u64 n = kIncrements[w.at(13, 2)];
  i.imm = w.at(15, 1) ? ~n + 1 : n;
}
void chk_a(const Slot& w, Insn& i) { i.imm = sign_extend(w.s() << 20 | w.at(13, 20), 21) << 4; }
void m34(const Slot& w, Insn& i) {
  i.qp = 0;
  i.imm = w.at(13, 7) | w.at(20, 7) << 7 | w.at(27, 4) << 14;
}
void level(const Slot& w, Insn& i) { i.imm = w.at(13, 2); }
void m44(const Slot& w, Insn& i) { i.imm = w.s() << 23 | w.at(31, 2) << 21 | w.at(6, 21); }

// --- B ------------------------------------------------------------------------------------------------------------------
u64 target25(const Slot& w) { return sign_extend(w.s() << 20 | w.at(13, 20), 21) << 4; }
u8 branch_hints(const Slot& w) { return static_cast<u8>(w.at(33, 2) | w.at(12, 1) << 3 | w.at(35, 1) << 4); }
void b1(const Slot& w, Insn& i) {
  i.imm = target25(w);
  i.x = branch_hints(w);
}
void b2(const Slot& w, Insn& i) {
  b1(w, i);
  i.qp = 0;
}
void b3(const Slot& w, Insn& i) {
  b1(w, i);
  i.r1 = w.byte(6, 3);
}
void b4(const Slot& w, Insn& i) {
  i.r2 = w.byte(13, 3);
  i.x = branch_hints(w);
}
void b5(const Slot& w, Insn& i) {
  i.r1 = w.byte(6, 3);
  i.r2 = w.byte(13, 3);
  i.x = static_cast<u8>(w.at(32, 3) | w.at(12, 1) << 3 | w.at(35, 1) << 4);
}
void brp_hints(const Slot& w, Insn& i) {
  i.qp = 0;
  i.p1 = w.byte(6, 7);
  i.pos = w.byte(33, 2);
  i.x = static_cast<u8>(w.at(3, 2) | w.at(35, 1) << 2);
}
void b6(const Slot& w, Insn& i) {
  brp_hints(w, i);
  i.imm = target25(w);
}
void b7(const Slot& w, Insn& i) {
  brp_hints(w, i);
  i.r2 = w.byte(13, 3);
}

// --- F ------------------------------------------------------------------------------------------------------------------
void sf(const Slot& w, Insn& i) { i.x = w.byte(34, 2); }
void f1(const Slot& w, Insn& i) {
  sf(w, i);
  i.r4 = w.byte(27, 7);
}
void f2(const Slot& w, Insn& i) { i.r4 = w.byte(27, 7); }
void f4(const Slot& w, Insn& i) {
  predicates(w, i);
  sf(w, i);
}
void f5(const Slot& w, Insn& i) {
  predicates(w, i);
  i.imm = w.at(20, 7) << 2 | w.at(33, 2);
}
void f6(const Slot& w, Insn& i) {
  sf(w, i);
  i.p2 = w.byte(27, 6);
}
void f12(const Slot& w, Insn& i) {
  sf(w, i);
  i.imm = w.at(13, 7) | w.at(20, 7) << 7;
}
void f14(const Slot& w, Insn& i) {
  sf(w, i);
  i.imm = sign_extend(w.s() << 20 | w.at(6, 20), 21) << 4;
}

// --- X ------------------------------------------------------------------------------------------------------------------
void imm62(const Slot& w, Insn& i) { i.imm = w.lslot << 21 | w.s() << 20 | w.at(6, 20); }
void x2(const Slot& w, Insn& i) {
  i.imm = w.s() << 63 | w.lslot << 22 | w.at(21, 1) << 21 | w.at(22, 5) << 16 | w.at(27, 9) << 7 | w.at(13, 7);
}
void x3(const Slot& w, Insn& i) {
  // imm39 is bits 40:2 of the L slot; its two low bits are ignored.
  i.imm = (w.s() << 59 | field(w.lslot, 2, 39) << 20 | w.at(13, 20)) << 4;
  i.x = branch_hints(w);
}
void x4(const Slot& w, Insn& i) {
  x3(w, i);
  i.r1 = w.byte(6, 3);
}

// clang-format off
/// Extra work per format, beyond qp, r1, r2 and r3 in their usual places; in the order of enum Format.
constexpr Extract kExtract[] = {
    a1, a2, imm8, a4, a5, predicates, a7, a8, none, a2,                             // A1..A10
    i1, none, i3, i4, none, i6, none, i8, none, i10, i11, i12, i13, i14, i15, i16,  // I1..I16
    predicates, imm21, imm21, chk_s, i21, i22, i23, i24, none, none, imm8, none, none, i30,  // I17..I30
    load_hint, hint, load_imm9, store_hint, store_imm9, load_hint, hint, load_imm9, store_hint, store_imm9,  // M1..M10
    hint, m12, store_hint, store_hint, m15, hint, m17, none, none, chk_s,                    // M11..M20
    chk_s, chk_a, chk_a, none, no_qp, none, none, none, none, imm8,                          // M21..M30
    none, none, none, m34, none, none, imm21, none, level, level,                            // M31..M40
    none, none, none, m44, none, none, none, imm21,                                          // M41..M48
    b1, b2, b3, b4, b5, b6, b7, no_qp, imm21,                                                // B1..B9
    f1, f2, f2, f4, f5, f6, f6, sf, none, sf, none, f12, sf, f14, imm21, imm21,              // F1..F16
    imm62, x2, x3, x4, imm62,                                                                // X1..X5
};
// clang-format on
#define X(f) +1
static_assert(std::size(kExtract) == 0 INSTRUCTION_FORMATS(X));
#undef X

}  // namespace

void extract_fields(Format format, u64 bits, u64 lslot, Insn& out) noexcept {
  const Slot w{bits, lslot};
  out.qp = w.byte(0, 6);
  out.r1 = w.byte(6, 7);
  out.r2 = w.byte(13, 7);
  out.r3 = w.byte(20, 7);
  kExtract[static_cast<unsigned>(format)](w, out);
}

}  // namespace ia64::cpu
