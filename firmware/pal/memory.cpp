// PAL virtual memory procedures: TLB geometry, page sizes, translation registers. @source SDM vol. 2, 11.10.3
#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

namespace {
constexpr u64 kTcLevels = 2, kUniqueTcs = 4;
constexpr u64 kHashTagId = 2;
constexpr u64 kEntries[kTcLevels] = {32, 128};
}  // namespace

PalResult mem_attrib(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, bit(0) | bit(4) | bit(5) | bit(6) | bit(7)};  // WB, UC, UCE, WC, NaTPage
}

PalResult ptce_info(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, 0, u64{1} << 32 | 1, 0};  // one ptc.e purges everything
}

PalResult vm_info(Call& call) {
  if (call.a1 >= kTcLevels || call.a2 < 1 || call.a2 > 2 || call.a3) return kInvalid;
  const u64 entries = kEntries[call.a1];
  constexpr u64 kSets = 1, kReducedByTrs = bit(34);
  return {0, kSets | entries << 8 | entries << 16 | kReducedByTrs, call.pal.model().insertable_page_sizes};
}

PalResult vm_summary(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  const auto& m = call.pal.model();
  const u64 word1 = 1 | u64{m.physical_address_bits} << 1 | u64{m.key_bits} << 8 | u64{m.pkrs - 1} << 16 |
                    kHashTagId << 24 | u64{m.data_trs - 1} << 32 | u64{m.instruction_trs - 1} << 40 |
                    kUniqueTcs << 48 | kTcLevels << 56;
  constexpr u64 kSimultaneousPurges = 1;
  return {0, word1, u64{m.virtual_address_msb} | u64{m.rid_bits} << 8 | kSimultaneousPurges << 16};
}

PalResult vm_page_size(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, call.pal.model().insertable_page_sizes, call.pal.model().purgeable_page_sizes};
}

PalResult vm_tr_read(Call& call) {
  u64 words[4] = {}, valid = 0;
  if (call.a2 > 1 || call.a1 > 0xff) return kInvalid;
  if (!call.cpu().read_tr(call.a2 == 1, static_cast<unsigned>(call.a1), words, valid)) return kInvalid;
  if (!call.gate.write(call.a3, words, sizeof words)) return kInvalid;
  return {0, valid};
}

}  // namespace ia64::firmware::pal
