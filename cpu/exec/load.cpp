// Integer loads. @source SDM vol. 3, ld
#include "cpu/exec/load.h"

#include "cpu/exec/handlers.h"

namespace ia64::cpu {

namespace {

struct GeneralTarget {
  static Next check(Core&, const Insn&, u64) { return Next::Continue; }
  static AlatTag tag(const Registers& r, const Insn& i) { return alat_gr_tag(r, i.r1); }
  static void put_nat(Core& core, const Insn& i) { core.set_gr_nat(i.r1, 0, true); }
  static void put_zero(Registers& r, const Insn& i) { r.set_gr(i.r1, 0); }
};

template <class T>
struct Integer : GeneralTarget {
  using Image = T;
  static constexpr unsigned kSize = sizeof(T), kAlign = sizeof(T);
  static T decode(const u8* raw, bool big_endian) { return from_guest_order<T>(raw, big_endian); }
  static Next read(Core& core, u64 va, T& image) { return core.load(va, image); }
  static void put(Core& core, const Insn& i, T image, u64) { Gr(core.regs(), i.r1).set(image); }
};

// The NaT bit comes back from the bit of UNAT that the address selects.
struct Fill : Integer<u64> {
  static void put(Core& core, const Insn& i, u64 image, u64 va) {
    core.set_gr_nat(i.r1, image, (core.regs().unat >> field(va, 3, 6)) & 1);
  }
};

// Two 8-byte values, each in the current byte order: the lower address to r1, the higher to AR.CSD.
struct Sixteen : GeneralTarget {
  using Image = u128;
  static Next read(Core& core, u64 va, u128& image) { return core.load(va, image); }
  static void put(Core& core, const Insn& i, u128 image, u64) {
    const u64 low = static_cast<u64>(image), high = static_cast<u64>(image >> 64);
    const bool big_endian = core.big_endian();  // then the access has reversed all sixteen bytes
    core.regs().set_gr(i.r1, big_endian ? high : low);
    core.regs().csd = big_endian ? low : high;
  }
};

}  // namespace

#define LOAD_ALL_TYPES(name, format, data, update) \
  LOAD_COMMON_TYPES(name, format, data, update) \
  LOAD(name##_bias, format, data, Plain, update) \
  LOAD(name##_acq, format, data, Acquire, update) \
  LOAD(name##_c_clr_acq, format, data, CheckClearAcquire, update)

#define LOAD_ALL_SIZES(format, update) \
  LOAD_ALL_TYPES(ld1, format, Integer<u8>, update) \
  LOAD_ALL_TYPES(ld2, format, Integer<u16>, update) \
  LOAD_ALL_TYPES(ld4, format, Integer<u32>, update) \
  LOAD_ALL_TYPES(ld8, format, Integer<u64>, update) \
  LOAD(ld8_fill, format, Fill, Plain, update)

LOAD_ALL_SIZES(m1, None)
LOAD_ALL_SIZES(m2, Register)
LOAD_ALL_SIZES(m3, Immediate)
LOAD(ld16, m1, Sixteen, Plain, None)
LOAD(ld16_acq, m1, Sixteen, Acquire, None)

}  // namespace ia64::cpu
