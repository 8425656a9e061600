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

constexpr unsigned kKernelSite = 3, kUserSite = AccessSites::kSitesOfBank + 3;
constexpr u64 kVa = u64{5} << 61 | 0x123'4000, kPage = 0x7000'0000;

/// Sites of both banks that hold the same page.
std::unique_ptr<FastTlb> with_sites() {
  auto tlb = std::make_unique<FastTlb>();
  tlb->fill_site(kKernelSite, kVa + 0x678, kPage - kVa);
  tlb->fill_site(kUserSite, kVa + 0x678, kPage - kVa);
  return tlb;
}
bool holds(const FastTlb& tlb, unsigned site) { return tlb.sites().at(site).tag == kVa; }
bool holds_none(const FastTlb& tlb) { return !holds(tlb, kKernelSite) && !holds(tlb, kUserSite) && tlb.sites().filled() == 0; }

TEST_CASE("a site holds the page of its address") {
  const auto tlb = with_sites();
  CHECK(holds(*tlb, kKernelSite));
  CHECK(holds(*tlb, kUserSite));
  CHECK(tlb->sites().at(kUserSite).addend == kPage - kVa);
  CHECK(tlb->sites().filled() == 2);
  tlb->fill_site(kUserSite, kVa, kPage - kVa);
  CHECK(tlb->sites().filled() == 2);
}

TEST_CASE("a purge of any size that holds a site's page empties it, and no other does") {
  for (const unsigned ps : {12u, 14u, 16u, 24u, 28u}) {
    const u64 offset = kVa & low_mask(61) & ~low_mask(ps);
    const auto tlb = with_sites();
    tlb->forget_data(offset ^ u64{1} << ps, ps);
    CHECK(tlb->sites().filled() == 2);
    tlb->forget_data(offset, ps);
    CHECK(holds_none(*tlb));
  }
}

TEST_CASE("a new RID empties the sites of its region only") {
  const auto tlb = with_sites();
  tlb->region_changed(4);
  CHECK(tlb->sites().filled() == 2);
  tlb->region_changed(5);
  CHECK(holds_none(*tlb));
}

TEST_CASE("sites forget a host page that must not be written unseen, and no other") {
  const auto tlb = with_sites();
  tlb->forget_writes(reinterpret_cast<const u8*>(kPage + 0x1000));
  CHECK(tlb->sites().filled() == 2);
  tlb->forget_writes(reinterpret_cast<const u8*>(kPage));
  CHECK(holds_none(*tlb));
}

TEST_CASE("what changes everything empties all sites") {
  for (void (FastTlb::*const change)() : {&FastTlb::protection_changed, &FastTlb::forget_all_writes, &FastTlb::reset}) {
    const auto tlb = with_sites();
    ((*tlb).*change)();
    CHECK(holds_none(*tlb));
  }
}

TEST_CASE("privileges have their own sites, which another mode of data accesses empties") {
  const auto tlb = with_sites();
  const u64 user = psr::kCpl | psr::kDt, kernel = psr::kDt;
  tlb->follow_psr(kernel);
  CHECK_FALSE(holds(*tlb, kKernelSite));
  CHECK(holds(*tlb, kUserSite));
  tlb->fill_site(kKernelSite, kVa, kPage - kVa);
  tlb->follow_psr(user);
  tlb->fill_site(kUserSite, kVa, kPage - kVa);
  tlb->follow_psr(kernel);
  tlb->follow_psr(user);
  CHECK(holds(*tlb, kKernelSite));
  CHECK(holds(*tlb, kUserSite));
  tlb->follow_psr(kernel | psr::kDb);
  CHECK_FALSE(holds(*tlb, kKernelSite));
  CHECK(holds(*tlb, kUserSite));
  tlb->follow_psr(user & ~psr::kDt);
  CHECK(holds_none(*tlb));
}

TEST_CASE("more filled sites than are looked at one by one are all emptied by a change") {
  const auto tlb = with_sites();
  for (unsigned n = 10; n < 1000; n++) tlb->fill_site(n, kVa + u64{n} * 0x1000, kPage - kVa);
  tlb->forget_data(kVa & low_mask(61), 12);
  CHECK(holds_none(*tlb));
  CHECK(tlb->sites().at(500).tag == AccessSites::kEmpty);
}

}  // namespace
}  // namespace ia64::cpu
