// Test files: headers, steps, and complaints with their places.
#include "machine/regression/step_actions.h"
#include "machine/regression/test_file.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::regression;

namespace {

const LoadContext kContext{.run_options = {{"kernel", true}, {"append", true}, {"speed", false}, {"jit-cache", true}}, .variables = {{"guests", "/g"}}, .ivm = "ivm"};

struct Parsed {
  Diagnostics diagnostics;
  std::unique_ptr<TestFile> file;
  explicit Parsed(const std::string& text) : file(parse_test_file(Source("x/some.test", text), kContext, diagnostics)) {}
  /// "LINE:COLUMN message", one a line.
  std::string complaints() const {
    std::string out;
    for (const Diagnostic& d : diagnostics.all()) out += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.message + "\n";
    return out;
  }
};

/// The first complaint about one step behind a small header of three lines.
std::string about(const std::string& step) {
  const Parsed p("+++\nprompt = \"# \"\n+++\n" + step + "\n");
  INFO(step);
  REQUIRE_FALSE(p.diagnostics.empty());
  const std::string all = p.complaints();
  return all.substr(0, all.find('\n'));
}

std::vector<Word> words(const std::string& line) {
  Diagnostics d;
  auto out = split_step({line}, 1, d);
  INFO(line);
  CHECK(d.empty());
  return out;
}

std::string text_of(const Word& word) { return word.text.expand({{"a", "A.B"}}); }

}  // namespace

TEST_CASE("test file: header and steps of a whole one", "[regression]") {
  const Parsed p(R"(# a comment
+++
description = "boots"
tags = ["linux", "slow"]
needs = ["${guests}/vmlinuz", "sgdisk"]
host_timeout = "3m"
guest_timeout = 90
max_output = "1M"
prompt = "# "
[variables]
word = "${guests}/w"
[images.root]
copy = "${guests}/root.img"
[guest]
kernel = "${guests}/vmlinuz"
memory = "256M"
jit-cache = 4194304
speed = true
storage = ["disk:avio_stor:0,2,0:${root}", "disk:scsi::file:${tmp}/x"]
+++
start
expect /(?P<n>\d+) disks/   # sets ${n}
shell "echo ${n}" \
  " and more" -> out
assert ${out} == "x"
wait power-off within 2m
)");
  CHECK(p.complaints() == "");
  const TestFile& f = *p.file;
  CHECK(f.name() == "some");
  CHECK(f.tags == std::vector<std::string>{"linux", "slow"});
  CHECK(f.host_timeout_ms == 180'000);
  CHECK(f.guest_timeout_ms == 90'000);
  CHECK(f.max_output_bytes == 1 << 20);
  CHECK(f.variables.at("word") == "/g/w");
  REQUIRE(f.guests.size() == 1);
  std::string all;
  for (const auto& a : f.guests[0].arguments) all += a.expand({{"guests", "/g"}, {"root", "file:/r"}, {"tmp", "/t"}}) + " ";
  CHECK(all == "--jit-cache 4194304 --kernel /g/vmlinuz -m 256M --speed -a disk:avio_stor:0,2,0:file:/r -a disk:scsi::file:/t/x ");
  CHECK(f.steps.size() == 5);
  CHECK(f.steps[3].place.line == 25);
  CHECK(f.steps[4].text == "wait power-off within 2m");
}

TEST_CASE("test file: everything wrong is told at once, each at its place", "[regression]") {
  const Parsed p("+++\ntag = 1\n[guest]\nkernal = \"x\"\n+++\nexpct \"x\"\nexpect \"a\" b\n  type\nexpect ${no}\n");
  CHECK(p.diagnostics.all().size() == 6);
  const std::string all = p.complaints();
  CHECK(all.starts_with("2:7 unknown key 'tag'"));
  for (const char* part : {"4:10 `ivm run` has no option --kernal", "6:1 no verb 'expct'", "7:12 nothing more is expected", "8:7 a string to type is expected",
                           "9:8 a pattern is expected"})
    CHECK(all.find(part) != std::string::npos);
}

TEST_CASE("test file: a header that is no TOML, or is not closed", "[regression]") {
  CHECK(Parsed("+++\na = \n+++\nstart\n").complaints().starts_with("2:"));
  CHECK(Parsed("+++\n\nstart\n").complaints().find("1:1 the header is not closed") != std::string::npos);
  CHECK(Parsed("").complaints().find("no steps") != std::string::npos);
  CHECK(Parsed("start\n").complaints() == "");
}

TEST_CASE("test file: mistakes in headers", "[regression]") {
  const auto complaint = [](const std::string& header) { return Parsed("+++\n" + header + "\n+++\nstart\n").complaints(); };
  for (const auto& [header, says] : std::vector<std::pair<std::string, std::string>>{
           {"host_timeout = \"soon\"", "2:16 host_timeout"},
           {"needs = \"x\"", "a list is expected"},
           {"tags = [1]", "a string is expected"},
           {"needs = [\"${nowhere}\"]", "2:11 no variable 'nowhere'"},
           {"[variables]\ntmp = \"x\"", "has a meaning already"},
           {"[images.a]", "has one of"},
           {"[images.a]\ncopy = \"x\"\nsize = \"1M\"", "has one of"},
           {"[images.a]\nmake = []", "program is missing"},
           {"[images]\na = 1", "an image is a table"},
           {"[guest]\nconsole = \"stdio\"", "chosen by `ivm test`"},
           {"[guest]\nspeed = 1", "true or false"},
           {"guest = 1", "[guest]"},
           {"[guests]\na = 1", "[guests.a]"}}) {
    INFO(header);
    CHECK(complaint(header).find(says) != std::string::npos);
  }
}

TEST_CASE("test file: with several guests each step needs one", "[regression]") {
  const std::string header = "+++\n[guests.b]\n[guests.a]\n+++\n";
  CHECK(Parsed(header + "start\n").complaints().find("5:1 the test has several guests") == 0);
  CHECK(Parsed(header + "guest c\n").complaints().find("5:7 the header has no guest 'c'") == 0);
  const Parsed good(header + "guest a\nstart\nguest b\nstart\n");
  CHECK(good.complaints() == "");
  CHECK(good.file->guests[0].name == "b");
  CHECK(good.file->steps[0].guest == "a");
  CHECK(good.file->steps[1].guest == "b");
}

TEST_CASE("test file: mistakes in steps have their place", "[regression]") {
  CHECK(about("expect /(/").starts_with("4:8 missing )"));
  CHECK(about("expect /a$/p").starts_with("4:8 $ asks"));
  CHECK(about("expect /a/x").starts_with("4:8 unknown letter 'x'"));
  CHECK(about("expect \"abc").starts_with("4:8 the string is not closed"));
  CHECK(about("send 'abc").starts_with("4:6 the string is not closed"));
  CHECK(about("send \"a\\q\"").starts_with("4:8 unknown escape"));
  CHECK(about("expect /usr/1bin").starts_with("4:13 a blank is missing"));
  CHECK(about("expect \"a\" within 5parsecs").starts_with("4:19 a time is expected"));
  CHECK(about("expect \"\"").starts_with("4:8 an empty pattern"));
  CHECK(about("wait sometime").starts_with("4:6 `power-off`"));
  CHECK(about("wait exit 256").starts_with("4:11 an exit status is expected"));
  CHECK(about("key dwon").starts_with("4:5 no key 'dwon'"));
  CHECK(about("key down*x").starts_with("4:5 no key"));
  CHECK(about("assert ${later} == 1").starts_with("4:8 no variable 'later'"));
  CHECK(about("assert 1 = 1").starts_with("4:10 no such comparison"));
  CHECK(about("assert disk root unchanged").starts_with("4:13 the header has no [images.root]"));
  CHECK(about("send ${").starts_with("4:6 ${ begins"));
  CHECK(about("snapshot take x").starts_with("4:10 `save` or `restore`"));
}

TEST_CASE("test file: rounds are closed, and one within another is refused", "[regression]") {
  CHECK(Parsed("repeat 3\nset a ${round}\nend\nrepeat ${a}\nend\n").complaints() == "");
  CHECK(Parsed("set a 1\nrepeat 3\n").complaints().find("2:1 the `repeat` is not ended") == 0);
  CHECK(Parsed("end\n").complaints().find("1:1 `end` without `repeat`") == 0);
  CHECK(Parsed("repeat 2\nrepeat 2\nend\n").complaints().find("2:8 `repeat` within `repeat`") == 0);
  CHECK(about("repeat").starts_with("4:7 how often is expected"));
}

TEST_CASE("test file: a variable is known from the step that sets it on", "[regression]") {
  CHECK(Parsed("read n /(\\d+)/\nassert ${n} > 3\nshell").complaints().find("shell needs") != std::string::npos);
  CHECK(Parsed("assert ${n} > 3\nread n /(\\d+)/\n").complaints().find("1:8 no variable 'n'") == 0);
  CHECK(Parsed("expect /(?P<n>x)/\nset m ${n}\nassert \"${m}${tmp}${dir}${ivm}\" != \"\"\n").complaints() == "");
}

TEST_CASE("words: strings, escapes, raw strings, expressions, variables, comments", "[regression]") {
  const auto w = words(R"(send "a\r\n\t\e\"\\\$\x41${a}" '\n${a}' /x\/[/]${a}$/i b${a}c # rest)");
  REQUIRE(w.size() == 5);
  CHECK(w[0].bare() == "send");
  CHECK(text_of(w[1]) == "a\r\n\t\033\"\\$AA.B");
  CHECK(text_of(w[2]) == "\\n${a}");
  CHECK(w[3].kind == Word::Kind::Regex);
  CHECK(text_of(w[3]) == "x/[/]A.B$");
  CHECK(w[3].flags == "i");
  CHECK(text_of(w[4]) == "bA.Bc");
  CHECK(w[4].bare().empty());
  CHECK(words("host \"a\" \"b\"").size() == 3);
  CHECK(text_of(words("send \"\"")[1]).empty());
}

TEST_CASE("duration: units, and what is none", "[regression]") {
  CHECK(parse_duration("90s") == 90'000);
  CHECK(parse_duration("500ms") == 500);
  CHECK(parse_duration("2") == 2000);
  CHECK(parse_duration("10m") == 600'000);
  CHECK(parse_duration("168h") == u64{604'800'000});
  for (const char* bad : {"", "s", "1d", "-1s", "1 s", "169h", "99999999999999999999s"}) CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("shell: the echo of a command is taken off, also where the guest broke it", "[regression]") {
  CHECK(without_echo("ls\na\nb\n", "ls") == "a\nb");
  CHECK(without_echo("echo aaa\n bbb\naaa bbb\n", "echo aaa bbb") == "aaa bbb");
  CHECK(without_echo("true\n", "true") == "");
  CHECK(without_echo("edited\nx", "other") == "x");
}

TEST_CASE("source: a complaint shows the line and a caret, tabs included", "[regression]") {
  const Source s("f", "\texpect x\n");
  CHECK(s.show({{1, 9}, "bad"}) == "f:1: bad\n    \texpect x\n    \t       ^\n");
  CHECK(s.show({{9, 1}, "end"}) == "f:9: end\n");
}
