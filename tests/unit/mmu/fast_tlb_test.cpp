// The keys that engines tie their shortcuts from address to code to.
#include "cpu/mmu/fast_tlb.h"

#include <memory>

#include "tests/support/test.h"

namespace ia64::cpu {
namespace {

constexpr unsigned kRegion = 5;
constexpr FastTlb::Mode kKernel = FastTlb::make_mode(true, 0, false, false);
constexpr FastTlb::Mode kUser = FastTlb::make_mode(true, 3, false, false);

/// The key an engine would keep: its context is allocated first.
u64 key_of(FastTlb& tlb, FastTlb::Mode mode, u32 rid) {
  tlb.context(mode, kRegion, rid);
  return tlb.fetch_key(mode, kRegion);
}

TEST_CASE("fetch keys follow region register and privilege and come back with them") {
  auto tlb = std::make_unique<FastTlb>();
  const u64 first = key_of(*tlb, kKernel, 0x111);
  CHECK(key_of(*tlb, kUser, 0x111) != first);
  tlb->region_changed(kRegion);
  CHECK(tlb->fetch_key(kKernel, kRegion) != first);
  const u64 second = key_of(*tlb, kKernel, 0x222);
  CHECK(second != first);
  tlb->region_changed(kRegion);
  CHECK(tlb->fetch_key(kKernel, kRegion) != second);
  CHECK(key_of(*tlb, kKernel, 0x111) == first);
}

TEST_CASE("every fetch key is new after an epoch ended or context keys were given out anew") {
  auto tlb = std::make_unique<FastTlb>();
  const u64 first = key_of(*tlb, kKernel, 0);
  tlb->end_fetch_epoch();
  const u64 second = key_of(*tlb, kKernel, 0);
  CHECK(second != first);
  for (u32 rid = 1; rid <= 600; rid++) {  // more than there are keys
    tlb->region_changed(kRegion);
    const u64 key = key_of(*tlb, kKernel, rid);
    CHECK(key != first);
    CHECK(key != second);
  }
  tlb->region_changed(kRegion);
  CHECK(key_of(*tlb, kKernel, 0) != second);
}

TEST_CASE("a change of one RID's instruction translations ends its fetch keys only, also while it is away") {
  auto tlb = std::make_unique<FastTlb>();
  const u64 other_before = key_of(*tlb, kKernel, 0x222);
  tlb->region_changed(kRegion);
  const u64 before = key_of(*tlb, kKernel, 0x111);
  tlb->end_fetches_of(0x222);
  CHECK(tlb->fetch_key(kKernel, kRegion) == before);
  tlb->end_fetches_of(0x111);
  const u64 after = tlb->fetch_key(kKernel, kRegion);
  CHECK(after != before);
  tlb->region_changed(kRegion);
  CHECK(key_of(*tlb, kKernel, 0x222) != other_before);
  tlb->region_changed(kRegion);
  CHECK(key_of(*tlb, kKernel, 0x111) == after);
}

TEST_CASE("translations do not matter to the fetch keys of physical mode") {
  auto tlb = std::make_unique<FastTlb>();
  constexpr FastTlb::Mode physical = FastTlb::make_mode(false, 0, false, false);
  const u64 before = key_of(*tlb, physical, 0x111);
  tlb->end_fetches_of(0x111);
  CHECK(tlb->fetch_key(physical, kRegion) == before);
  tlb->end_fetch_epoch();
  CHECK(tlb->fetch_key(physical, kRegion) != before);
}

}  // namespace
}  // namespace ia64::cpu
