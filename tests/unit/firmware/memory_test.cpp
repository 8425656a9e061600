// Memory map, page allocator and pool.
#include <random>

#include "firmware/efi/memory_map.h"
#include "firmware/efi/pool.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::firmware;
using How = MemoryMap::Allocate;

namespace {
constexpr u64 kWb = efi::kMemoryWb;
constexpr u64 kPages = 256;

MemoryMap small_map() {
  MemoryMap m;
  m.declare(0, 1, MemoryType::Reserved, kWb);
  m.declare(0x1000, kPages - 1, MemoryType::Conventional, kWb);
  return m;
}
}  // namespace

TEST_CASE("pages come from the top, below a limit, or exactly where asked") {
  auto m = small_map();
  GuestPhys a = 0;
  REQUIRE(m.allocate(How::Any, MemoryType::LoaderData, 2, a) == efi::kSuccess);
  CHECK(a == (kPages - 2) * 4096);
  a = 0x7fff;
  REQUIRE(m.allocate(How::MaxAddress, MemoryType::LoaderCode, 2, a) == efi::kSuccess);
  CHECK(a == 0x6000);
  a = 0x2000;
  REQUIRE(m.allocate(How::Address, MemoryType::BootServicesData, 1, a) == efi::kSuccess);
  CHECK(m.find(0x2fff).type == MemoryType::BootServicesData);
  a = 0x2000;
  CHECK(m.allocate(How::Address, MemoryType::LoaderData, 1, a) == efi::kNotFound);
  a = 0x2001;
  CHECK(m.allocate(How::Address, MemoryType::LoaderData, 1, a) == efi::kInvalidParameter);
  a = 0xfff;
  CHECK(m.allocate(How::MaxAddress, MemoryType::LoaderData, 1, a) == efi::kOutOfResources);
  CHECK(m.allocate(How::Any, MemoryType::Conventional, 1, a) == efi::kInvalidParameter);
  CHECK(m.allocate(How::Any, MemoryType::PalCode, 1, a) == efi::kInvalidParameter);
  CHECK(m.allocate(How::Any, static_cast<MemoryType>(14), 1, a) == efi::kInvalidParameter);
  CHECK(m.allocate(How::Any, static_cast<MemoryType>(0x80000001), 1, a) == efi::kSuccess);
  CHECK(m.allocate(How::Any, MemoryType::LoaderData, kPages, a) == efi::kOutOfResources);
  CHECK(m.allocate(How::Any, MemoryType::LoaderData, ~u64{0}, a) == efi::kOutOfResources);
  CHECK(m.allocate(How::Any, MemoryType::LoaderData, 0, a) == efi::kInvalidParameter);
}

TEST_CASE("runtime memory gets the runtime attribute and loses it when freed") {
  auto m = small_map();
  GuestPhys a = 0;
  REQUIRE(m.allocate(How::Any, MemoryType::RuntimeServicesData, 1, a) == efi::kSuccess);
  CHECK(m.find(a).attributes == (kWb | efi::kMemoryRuntime));
  CHECK(m.free(a, 1) == efi::kSuccess);
  CHECK(m.find(a).attributes == kWb);
  CHECK(m.descriptors().size() == 2);
}

TEST_CASE("only allocated pages can be freed, and parts of an allocation too") {
  auto m = small_map();
  GuestPhys a = 0x10000;
  REQUIRE(m.allocate(How::Address, MemoryType::LoaderData, 8, a) == efi::kSuccess);
  CHECK(m.free(0, 1) == efi::kNotFound);
  CHECK(m.free(0x20000, 1) == efi::kNotFound);
  CHECK(m.free(0x10000, 9) == efi::kNotFound);
  CHECK(m.free(0x10001, 1) == efi::kInvalidParameter);
  CHECK(m.free(0x12000, 2) == efi::kSuccess);
  CHECK(m.find(0x12000).type == MemoryType::Conventional);
  CHECK(m.find(0x14000).type == MemoryType::LoaderData);
  CHECK(m.free(~u64{0} - 4095, 2) == efi::kNotFound);
}

TEST_CASE("the map equals a page-by-page model under random use, and its key changes with it") {
  auto m = small_map();
  std::vector<int> model(kPages, 7);
  model[0] = 0;
  std::mt19937 random(1);
  std::vector<std::pair<u64, u64>> live;
  for (int round = 0; round < 3000; round++) {
    const u64 key = m.key();
    const auto before = m.descriptors();
    if (random() % 2 || live.empty()) {
      GuestPhys a = random() % kPages * 4096;
      const u64 n = random() % 12 + 1;
      const auto type = random() % 2 ? MemoryType::LoaderData : MemoryType::BootServicesCode;
      const auto how = static_cast<How>(random() % 3);
      if (m.allocate(how, type, n, a) == efi::kSuccess) {
        for (u64 p = 0; p < n; p++) {
          REQUIRE(model[a / 4096 + p] == 7);
          model[a / 4096 + p] = static_cast<int>(type);
        }
        live.push_back({a, n});
      }
    } else {
      const size_t i = random() % live.size();
      const auto [a, n] = live[i];
      REQUIRE(m.free(a, n) == efi::kSuccess);
      for (u64 p = 0; p < n; p++) model[a / 4096 + p] = 7;
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
    }
    std::vector<int> seen(kPages, -1);
    const auto after = m.descriptors();
    for (const auto& d : after)
      for (u64 p = 0; p < d.pages; p++) seen[d.base / 4096 + p] = static_cast<int>(d.type);
    REQUIRE(seen == model);
    REQUIRE((before == after || key != m.key()));
  }
}

TEST_CASE("pool blocks do not overlap, are aligned, and go back only once") {
  auto m = small_map();
  Pool pool(m);
  std::vector<std::pair<u64, u64>> blocks;
  for (const u64 size : {1, 8, 16, 33, 100, 512, 2048, 2049, 10000, 0}) {
    GuestPhys a = 0;
    REQUIRE(pool.allocate(MemoryType::LoaderData, size, a) == efi::kSuccess);
    CHECK(a % 16 == 0);
    CHECK(m.find(a).type == MemoryType::LoaderData);
    for (const auto& [b, n] : blocks) CHECK((a + size <= b || b + n <= a));
    blocks.push_back({a, size});
  }
  for (const auto& [a, n] : blocks) CHECK(pool.free(a) == efi::kSuccess);
  CHECK(pool.free(blocks[0].first) == efi::kInvalidParameter);
  CHECK(pool.free(blocks[8].first) == efi::kInvalidParameter);
  GuestPhys a = 0;
  CHECK(pool.allocate(MemoryType::LoaderData, u64{1} << 40, a) == efi::kOutOfResources);
  CHECK(pool.allocate(MemoryType::LoaderData, ~u64{0}, a) == efi::kOutOfResources);
}
