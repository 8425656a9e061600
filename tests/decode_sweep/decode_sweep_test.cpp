// The encoding sweep: our disassembly against objdump's over guest code and generated slots.
#include <cstdio>
#include <cstdlib>

#include "guest_programs.h"
#include "slot_generator.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::sweep;

namespace {

constexpr const char* kNoObjdump = "ia64-linux-gnu-objdump (binutils-ia64-linux-gnu) is not installed";
const std::string kGuest = std::string(IVM_SHARED) + "/guests/linux/";

void report(const char* what, const Tally& tally) {
  std::printf("%s: %llu slots, %llu unexplained differences\n", what,
              static_cast<unsigned long long>(tally.slots), static_cast<unsigned long long>(tally.different));
  for (const auto& [rule, count] : tally.deliberate)
    std::printf("  deliberate: %s: %llu\n", rule.c_str(), static_cast<unsigned long long>(count));
  for (const std::string& example : tally.examples) std::printf("  %s\n", example.c_str());
}

Tally compare_all(const std::vector<Code>& code) {
  Tally sum;
  for (const Code& c : code) sum.add(compare_with_objdump(c.bundles, c.address));
  return sum;
}

u64 sweep_seed() {
  const char* given = std::getenv("IVM_SWEEP_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 0) : 20240229;
}

}  // namespace

TEST_CASE("the whole kernel image reads as objdump prints it") {
  if (!objdump_available()) SKIP_TEST(kNoObjdump);
  const std::vector<Code> code = elf_code("vmlinux", read_gzip(kGuest + "vmlinuz"));
  if (code.empty()) SKIP_TEST("no guests/linux/vmlinuz in the shared folder");
  const Tally tally = compare_all(code);
  report("kernel", tally);
  CHECK(tally.different == 0);
  CHECK(tally.deliberate.empty());  // a real program needs none of the deliberate differences
}

TEST_CASE("the guests' user programs read as objdump prints them") {
  if (!objdump_available()) SKIP_TEST(kNoObjdump);
  const std::vector<Code> code = cpio_code(read_gzip(kGuest + "initrd.gz"));
  if (code.empty()) SKIP_TEST("no guests/linux/initrd.gz in the shared folder");
  const Tally tally = compare_all(code);
  for (const Code& c : code) std::printf("  %s: %zu bundles\n", c.name.c_str(), c.bundles.size());
  report("user programs", tally);
  CHECK(tally.different == 0);
}

TEST_CASE("generated slots over the whole encoding space read as objdump prints them") {
  if (!objdump_available()) SKIP_TEST(kNoObjdump);
  const u64 seed = sweep_seed();
  std::printf("IVM_SWEEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  const Tally tally = compare_with_objdump(generate_bundles(seed, 20, 800), 0xe000'0000'0000'4000);
  report("generated", tally);
  CHECK(tally.slots >= 2'000'000);
  CHECK(tally.different == 0);
}

TEST_CASE("reserved templates read as data") {
  if (!objdump_available()) SKIP_TEST(kNoObjdump);
  const Tally tally = compare_with_objdump(generate_reserved_templates(sweep_seed(), 4096), 0);
  report("reserved templates", tally);
  CHECK(tally.different == 0);
}
