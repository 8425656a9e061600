// Names the differences between two register files.
#include "cpu/arch/register_differences.h"

#include <cstdio>
#include <vector>

#include "cpu/arch/register_values.h"

namespace ia64::cpu {

namespace {

std::string line_of(const char* name, int number, u64 expected, u64 actual) {
  char place[12] = "", line[120];
  if (number >= 0) std::snprintf(place, sizeof place, "%d", number);
  std::snprintf(line, sizeof line, "  %s%s: interpreter %016llx translator %016llx\n", name, place,
                static_cast<unsigned long long>(expected), static_cast<unsigned long long>(actual));
  return line;
}

}  // namespace

std::string register_differences(const Registers& expected, const Registers& actual, unsigned limit) {
  static thread_local std::vector<u64> values;  // lockstep runs compare thousands of times a second
  values.clear();
  each_register(expected, [&](const char*, int, u64 value) { values.push_back(value); });
  std::string text;
  const u64* at = values.data();
  each_register(actual, [&](const char* name, int number, u64 value) {
    const u64 wanted = *at++;
    if (wanted == value || limit == 0) return;
    limit--;
    text += line_of(name, number, wanted, value);
  });
  return text;
}

}  // namespace ia64::cpu
