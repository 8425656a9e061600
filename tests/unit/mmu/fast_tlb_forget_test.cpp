// What FastTlb drops and keeps when translations go away, against a model that looks at every slot.
#include <memory>
#include <random>
#include <vector>

#include "base/bits.h"
#include "cpu/mmu/fast_tlb.h"
#include "tests/support/test.h"

namespace ia64::cpu {
namespace {

constexpr u64 kEmpty = ~u64{0};
constexpr u64 kPsr = psr::kDt;  // translated, most privileged
constexpr FastTlb::Mode kMode = FastTlb::data_mode(kPsr);

/// Two levels of direct-mapped tables of pages: nothing but their rules.
struct Model {
  std::vector<u64> first = std::vector<u64>(FastTlb::kDataSlots, kEmpty), second = std::vector<u64>(FastTlb::kSecondSlots, kEmpty);

  u64& first_of(u64 page) { return first[page % first.size()]; }
  u64& second_of(u64 page) { return second[page % second.size()]; }
  void add(u64 page) { first_of(page) = second_of(page) = page; }
  bool refill(u64 page) {
    const bool found = second_of(page) == page;
    if (found) first_of(page) = page;
    return found;
  }
  void forget(u64 offset, unsigned ps) {
    for (auto* table : {&first, &second})
      for (u64& page : *table)
        if (((page << 12 ^ offset) & low_mask(61)) >> ps == 0) page = kEmpty;
  }
};

class Fixture {
 public:
  explicit Fixture(unsigned seed) : random_(seed) {
    tlb_->follow_psr(kPsr);
    for (unsigned region = 0; region < 8; region++) contexts_[region] = tlb_->context(kMode, region, region + 1);
  }

  u64 pick(u64 count) { return random_() % count; }
  /// Pages of three places in each of two regions: whole large pages near the start, some far up that share a group with them, the top.
  u64 any_page() {
    const u64 region = pick(2) ? u64{7} : u64{5};
    const u64 places[] = {0, u64{64} << 24, low_mask(61) - low_mask(26)};
    return (region << 61 | (places[pick(3)] + (pick(span_) << 12))) >> 12;
  }
  void span(u64 pages) { span_ = pages; }

  void add() {
    const u64 page = any_page(), va = page << 12;
    const bool write = pick(2);
    u8* const host = reinterpret_cast<u8*>(0x7f00'0000'0000 + (page & low_mask(30)) * 4096);
    write ? tlb_->add_write(va, contexts_[va >> 61], host) : tlb_->add_read(va, contexts_[va >> 61], host);
    models_[write].add(page);
    pages_.push_back(page);
  }
  void refill() {
    const u64 page = known_page();
    const bool write = pick(2);
    const bool found = write ? tlb_->refill_write(page << 12) : tlb_->refill_read(page << 12);
    CHECK(found == models_[write].refill(page));
  }
  void forget(unsigned ps) {
    const u64 offset = known_page() << 12 & low_mask(61) & ~low_mask(ps);
    tlb_->forget_data(offset, ps);
    for (Model& m : models_) m.forget(offset, ps);
  }
  /// Every page ever added is found in the levels where the model has it, and in no other.
  void compare() {
    unsigned wrong = 0;
    for (const u64 page : pages_) {
      const u64 va = page << 12;
      wrong += (tlb_->read_pointer<8>(va, kPsr) != nullptr) != (models_[0].first_of(page) == page);
      wrong += (tlb_->write_pointer<8>(va, kPsr) != nullptr) != (models_[1].first_of(page) == page);
    }
    CHECK(wrong == 0);
    for (const u64 page : pages_) {
      wrong += tlb_->refill_read(page << 12) != models_[0].refill(page);
      wrong += tlb_->refill_write(page << 12) != models_[1].refill(page);
    }
    CHECK(wrong == 0);
  }

 private:
  u64 known_page() { return pages_.empty() ? any_page() : pages_[pick(pages_.size())]; }

  std::mt19937_64 random_;
  std::unique_ptr<FastTlb> tlb_ = std::make_unique<FastTlb>();
  Model models_[2];
  u64 contexts_[8];
  u64 span_ = 16384;
  std::vector<u64> pages_;
};

void churn(unsigned seed, unsigned adds_before_forget, u64 span) {
  Fixture f(seed);
  f.span(span);
  for (unsigned round = 0; round < 40; round++) {
    for (unsigned n = 0; n < adds_before_forget; n++) f.pick(4) ? f.add() : f.refill();
    f.forget(12 + 2 * static_cast<unsigned>(f.pick(10)));  // 4 KiB to 1 GiB
    f.compare();
  }
}

TEST_CASE("purges of every size drop what a look at every slot would drop: few entries") { churn(1, 20, 16384); }
TEST_CASE("purges of every size drop what a look at every slot would drop: more entries than are noted") { churn(2, 2000, 16384); }
TEST_CASE("purges of every size drop what a look at every slot would drop: crowded into one large page") { churn(3, 700, 4096); }

TEST_CASE("a large page drops far more entries than are noted, again and again") {
  Fixture f(4);
  f.span(4096);
  for (unsigned round = 0; round < 6; round++) {
    for (unsigned n = 0; n < 3000; n++) f.add();
    f.forget(24);
    f.compare();
  }
}

}  // namespace
}  // namespace ia64::cpu
