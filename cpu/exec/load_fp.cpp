// Floating-point loads, single and paired. @source SDM vol. 3, ldf, ldfp
#include "cpu/exec/handlers.h"
#include "cpu/exec/load.h"
#include "cpu/fp/memory_format.h"

namespace ia64::cpu {

namespace {

struct FpTarget {
  static Next check(Core& core, const Insn& i, u64 access) { return check_fp_enabled(core, i.r1, access); }
  static AlatTag tag(const Registers& r, const Insn& i) { return alat_fr_tag(r, i.r1); }
  static void put_nat(Core& core, const Insn& i) { core.regs().set_fr(i.r1, kFpNatVal); }
  static void put_zero(Registers& r, const Insn& i) { r.set_fr(i.r1, kFpZero); }
};

template <class T, FpReg (*kConvert)(T)>
struct Scalar : FpTarget {
  using Image = T;
  static constexpr unsigned kSize = sizeof(T), kAlign = sizeof(T);
  static T decode(const u8* raw, bool big_endian) { return from_guest_order<T>(raw, big_endian); }
  static Next read(Core& core, u64 va, T& image) { return core.load(va, image); }
  static void put(Core& core, const Insn& i, T image, u64) { core.regs().set_fr(i.r1, kConvert(image)); }
};
using Single = Scalar<u32, fp::from_single>;
using Double = Scalar<u64, fp::from_double>;
struct Integer8 : Scalar<u64, fp::from_integer> {
  static void put_zero(Registers& r, const Insn& i) { r.set_fr(i.r1, fp::from_integer(0)); }
};

// Formats wider than eight bytes are decoded to a register straight from the byte image.
template <class D>
struct Wide : FpTarget {
  using Image = FpReg;
  static constexpr unsigned kAlign = 16;
  static Next read(Core& core, u64 va, FpReg& image) {
    u8 raw[D::kSize];
    const Next next = read_image<D::kSize, kAlign>(core, va, raw);
    if (next != Next::Fault) image = D::decode(raw, core.big_endian());
    return next;
  }
  static void put(Core& core, const Insn& i, const FpReg& image, u64) { core.regs().set_fr(i.r1, image); }
};
struct Extended : Wide<Extended> {
  static constexpr unsigned kSize = 10;
  static FpReg decode(const u8* raw, bool big_endian) {
    return big_endian ? fp::from_extended(load_be<u64>(raw + 2), load_be<u16>(raw))
                      : fp::from_extended(load_le<u64>(raw), load_le<u16>(raw + 8));
  }
};
struct Fill : Wide<Fill> {
  static constexpr unsigned kSize = 16;
  static FpReg decode(const u8* raw, bool big_endian) {
    return big_endian ? fp::from_spill(load_be<u64>(raw + 8), load_be<u64>(raw))
                      : fp::from_spill(load_le<u64>(raw), load_le<u64>(raw + 8));
  }
};

// Two values: the lower address to f1, the higher to f2. The ALAT knows the pair by f1.
template <class T, FpReg (*kConvert)(T)>
struct Pair {
  struct Image {
    T first, second;
  };
  static constexpr unsigned kSize = 2 * sizeof(T), kAlign = kSize;
  // One target must be an even, the other an odd physical register; rotation by an odd base can make a legal looking pair
  // illegal only when just one of the two rotates, so this cannot be left to the decoder.
  static Next check(Core& core, const Insn& i, u64 access) {
    const Registers& r = core.regs();
    if (((r.fr_index(i.r1) ^ r.fr_index(i.r2)) & 1) == 0) return core.raise_illegal_operation();
    return check_fp_enabled(core, i.r1, i.r2, access);
  }
  static AlatTag tag(const Registers& r, const Insn& i) { return alat_fr_tag(r, i.r1); }
  static Image decode(const u8* raw, bool big_endian) {
    return {from_guest_order<T>(raw, big_endian), from_guest_order<T>(raw + sizeof(T), big_endian)};
  }
  static Next read(Core& core, u64 va, Image& image) {
    u8 raw[kSize];
    const Next next = read_image<kSize, kAlign>(core, va, raw);
    if (next != Next::Fault) image = decode(raw, core.big_endian());
    return next;
  }
  static void put(Core& core, const Insn& i, const Image& image, u64) {
    put_both(core.regs(), i, kConvert(image.first), kConvert(image.second));
  }
  static void put_nat(Core& core, const Insn& i) { put_both(core.regs(), i, kFpNatVal, kFpNatVal); }
  static void put_zero(Registers& r, const Insn& i) { put_both(r, i, kConvert(0), kConvert(0)); }

 private:
  static void put_both(Registers& r, const Insn& i, const FpReg& first, const FpReg& second) {
    r.set_fr(i.r1, first);
    r.set_fr(i.r2, second);
  }
};
using SinglePair = Pair<u32, fp::from_single>;
using DoublePair = Pair<u64, fp::from_double>;
using Integer8Pair = Pair<u64, fp::from_integer>;

}  // namespace

#define LOAD_FP(format, update) \
  LOAD_COMMON_TYPES(ldfs, format, Single, update) \
  LOAD_COMMON_TYPES(ldfd, format, Double, update) \
  LOAD_COMMON_TYPES(ldf8, format, Integer8, update) \
  LOAD_COMMON_TYPES(ldfe, format, Extended, update) \
  LOAD(ldf_fill, format, Fill, Plain, update)

LOAD_FP(m6, None)
LOAD_FP(m7, Register)
LOAD_FP(m8, Immediate)

// M12 increments by the size of the pair, which the decoder leaves in the immediate.
#define LOAD_PAIR(format, update) \
  LOAD_COMMON_TYPES(ldfps, format, SinglePair, update) \
  LOAD_COMMON_TYPES(ldfpd, format, DoublePair, update) \
  LOAD_COMMON_TYPES(ldfp8, format, Integer8Pair, update)

LOAD_PAIR(m11, None)
LOAD_PAIR(m12, Immediate)

}  // namespace ia64::cpu
