// Resource statements with pieces swapped, cut and repeated: parsed, and allocated together.
#include <string>
#include <vector>

#include "machine/resource_statement.h"
#include "tests/fuzz/fuzz.h"

namespace ia64::fuzz {

void fuzz_one(u64 seed) {
  static const char* const kWords[] = {"disk", "dvd", "tape", "hba", "scsi", "avio_stor", "aviostor", "file", "lv", "null", "overlay", "0", "7", "14", "15",
                                       "127", "128", "255", "4294967296", "-1", ",", ",,", ":", "::", "/a:b", " ", "\xff", "0,2,0", "7,7,0", ""};
  Random random(seed);
  std::vector<machine::ResourceStatement> list;
  for (u64 n = random.below(200); n; n--) {
    std::string text;
    if (random.one_in(3)) {
      for (u64 words = random.below(12); words; words--) text += random.pick(kWords);
    } else {
      text = random.one_in(2) ? "disk:scsi:" : "disk:avio_stor:";
      if (random.one_in(2)) text += std::to_string(random.below(9)) + "," + std::to_string(random.below(9));
      if (random.one_in(3)) text += "," + std::to_string(random.below(17));
      text += ":file:x";
    }
    auto s = machine::parse_resource_statement(text);
    if (!s) {
      check(!s.error().message.empty(), "a refusal without a message");
      continue;
    }
    list.push_back(std::move(*s));
    auto copy = list;
    if (!machine::allocate_addresses(copy)) {
      list.pop_back();
      continue;
    }
    for (const auto& r : copy) check(r.address.bus && r.address.slot && r.address.target, "an address is missing");
    for (size_t i = 0; i < copy.size(); i++)
      for (size_t k = 0; k < i; k++)
        check(copy[i].address.bus != copy[k].address.bus || copy[i].address.slot != copy[k].address.slot ||
                  copy[i].address.target != copy[k].address.target,
              "two devices at one address");
  }
}

}  // namespace ia64::fuzz
