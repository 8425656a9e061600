// Files of `ivm test` with pieces mutated, and patterns over text that arrives in pieces: no crash, and no match that depends on the pieces.
#include <string>
#include <vector>

#include "machine/host/console_pattern.h"
#include "machine/host/console_text.h"
#include "machine/regression/test_file.h"
#include "tests/fuzz/fuzz.h"

namespace ia64::fuzz {
namespace {

using namespace machine;
using namespace machine::regression;

const char* const kHeaderLines[] = {"description = \"x\"", "tags = [\"a\", \"b\"]", "needs = [\"${guests}/x\", \"sh\"]", "host_timeout = \"3m\"", "prompt = \"# \"",
                                    "max_output = \"1M\"", "[variables]", "word = \"${guests}\"", "[images.root]", "copy = \"/x\"", "size = \"8M\"",
                                    "make = [\"sh\", \"${path}\"]", "[guest]", "[guests.a]", "[guests.b]", "memory = \"1G\"", "kernel = \"/k\"", "speed = true",
                                    "storage = [\"disk:avio_stor::${root}\"]"};
const char* const kSteps[] = {"start", "guest a", "expect \"a\\r\\x41\" within 5s", "expect /(?P<n>\\d+)[^/]$/i", "expect /a/p", "expect-not \"x\" until /y/",
                              "read n /(x)/", "send \"${n}\"", "type 'raw ${n}'", "key up*3 ctrl-c", "shell \"ls\" \\", "  \" -l\" -> out", "assert ${out} =~ /x/",
                              "assert disk root at 5 \"x\"", "sum root -> s", "host status 1 sh -c \"x\"", "control \"status\" gives /x/", "control \"x\" fails busy",
                              "event media \"x\"", "wait power-off", "wait exit 3", "snapshot save x", "insert a.iso 0,2,1", "eject force", "set a b", "# comment", ""};
const char* const kExpressions[] = {"a+", "^b*$", "(a|ab)(c|bcd)?", "[^a]+b", "\\bab\\b", "a.*b", "^$", "(?i)A", "b{2,3}", "x?"};
const char* const kPrompts[] = {"a+", "[ab]+> ", "(a|ab)c", "^b", "a.*b", "b{2,3}"};
const char* const kPieces[] = {"a", "b", "ab", "abc", "bb", "\n", "\r\n", "\r", "> ", "\033[1m", "\033[5;1H", "\033]0;a\a", " ", "abcd"};

std::string mutated(Random& random, std::string text) {
  static constexpr char kBytes[] = "\"'/\\$${}[]()+*#=.\n\t\0\xff \"x0,";
  for (u64 n = random.below(4); n && !text.empty(); n--) {
    const size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0: text[at] = kBytes[random.below(sizeof kBytes - 1)]; break;
      case 1: text.erase(at, random.below(8)); break;
      case 2: text.insert(at, text.substr(0, random.below(20))); break;
      default: text.insert(at, 1, kBytes[random.below(sizeof kBytes - 1)]);
    }
  }
  return text;
}

void fuzz_file(Random& random) {
  std::string text = random.one_in(8) ? "" : "+++\n";
  for (u64 n = random.below(12); n; n--) text += std::string(random.pick(kHeaderLines)) + "\n";
  if (!random.one_in(8)) text += "+++\n";
  for (u64 n = random.below(12); n; n--) text += std::string(random.pick(kSteps)) + "\n";
  const Source source("fuzz.test", mutated(random, text));
  Diagnostics diagnostics;
  const auto file = parse_test_file(source, {{{"kernel", true}, {"speed", false}}, {{"guests", "/g"}}, "ivm"}, diagnostics);
  check(file != nullptr, "no file");
  for (const Diagnostic& d : diagnostics.all()) {
    check(!d.message.empty() && d.place.line <= source.lines().size() + 1, "a complaint without words or place");
    (void)file->source.show(d);
  }
}

/// Where and what a pattern matches in bytes that come in pieces of these sizes.
std::string found(const ConsolePattern& pattern, const std::string& bytes, Random* random) {
  ConsoleText reader;
  std::string text;
  size_t searched = 0;
  for (size_t at = 0; at < bytes.size();) {
    const size_t n = random ? 1 + random->below(4) : bytes.size();
    reader.append(std::string_view(bytes).substr(at, n), text);
    at += n;
    if (const auto m = pattern.find(text, 0, searched)) return m->groups[0] + "@" + std::to_string(m->begin);
  }
  return "none";
}

void fuzz_pattern(Random& random) {
  std::string bytes;
  for (u64 n = random.below(30); n; n--) bytes += random.pick(kPieces);
  Result<ConsolePattern> pattern = ConsolePattern::string(random.pick(kPieces));
  if (random.one_in(2)) pattern = ConsolePattern::regex(random.pick(kExpressions), ConsolePattern::Kind::Lines);
  else if (random.one_in(2)) pattern = ConsolePattern::regex(random.pick(kPrompts), ConsolePattern::Kind::Prompt);
  check(pattern.ok(), "a good pattern is refused");
  const std::string whole = found(*pattern, bytes, nullptr);
  for (unsigned n = 0; n < 4; n++) check(found(*pattern, bytes, &random) == whole, "a match depends on the pieces");
}

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  fuzz_file(random);
  fuzz_pattern(random);
}

}  // namespace ia64::fuzz
