// Console text and patterns: what matches depends on the bytes, never on how they were cut; watches.
#include "machine/host/console_pattern.h"
#include "machine/host/console_text.h"
#include "machine/host/console_watches.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using Kind = ConsolePattern::Kind;

namespace {

ConsolePattern regex(const char* expression, Kind kind = Kind::Lines) {
  auto p = ConsolePattern::regex(expression, kind);
  INFO(expression);
  REQUIRE(p);
  return *p;
}

/// The match in bytes that arrive `piece` at a time, as "matched text@begin"; "-" for none.
std::string found(const ConsolePattern& pattern, const std::string& bytes, size_t piece, size_t from = 0) {
  ConsoleText reader;
  std::string text;
  size_t searched = 0;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.append(std::string_view(bytes).substr(at, piece), text);
    if (text.size() < from) continue;
    if (const auto m = pattern.find(text, from, searched)) return m->groups[0] + "@" + std::to_string(m->begin);
  }
  return "-";
}

/// The same for every cut.
std::string found(const ConsolePattern& pattern, const std::string& bytes) {
  const std::string whole = found(pattern, bytes, bytes.size());
  for (size_t piece = 1; piece < bytes.size(); piece++) {
    INFO(pattern.written() << " in pieces of " << piece);
    CHECK(found(pattern, bytes, piece) == whole);
  }
  return whole;
}

std::string text_of(const std::string& bytes) {
  std::string whole;
  ConsoleText().append(bytes, whole);
  ConsoleText reader;
  std::string parts;
  for (const char c : bytes) reader.append({&c, 1}, parts);
  CHECK(parts == whole);
  return whole;
}

}  // namespace

TEST_CASE("console text: line ends, escape sequences and controls", "[machine]") {
  CHECK(text_of("one\r\ntwo\r\r\nthree\n") == "one\ntwo\nthree\n");
  CHECK(text_of("10%\r20%\r\n") == "10%\n20%\n");
  CHECK(text_of("a\n\rb") == "a\nb");
  CHECK(text_of("\033[1;31mred\033[0m \033]0;title\abell\a\b") == "red bell");
  CHECK(text_of("\033P1$r\033\\x\033(0y\033[6nz") == "xyz");
  CHECK(text_of("first\033[5;1Hsecond\033[7dthird") == "first\nsecond\nthird");
  CHECK(text_of("\033[2J\033[Htop") == "top");
  CHECK(text_of("tab\tx\x7f\x01" "y") == "tab\txy");
  CHECK(text_of("\xc3\xa9") == "\xc3\xa9");
}

TEST_CASE("console pattern: a string matches when its last byte is there, line ends included", "[machine]") {
  CHECK(found(ConsolePattern::string("login: "), "host\r\nlogin: ") == "login: @5");
  CHECK(found(ConsolePattern::string("a\nb"), "xa\r\nb") == "a\nb@1");
  CHECK(found(ConsolePattern::string("aab"), "aaab") == "aab@1");
  CHECK(found(ConsolePattern::string("none"), "abc") == "-");
}

TEST_CASE("console pattern: an expression takes whole lines, so that what is still to come cannot change it", "[machine]") {
  CHECK(found(regex("up \\d+"), "up 12 s\r\n") == "up 12@0");
  CHECK(found(regex("up \\d+"), "up 1234") == "-");  // the line may go on
  CHECK(found(regex("^b.*$"), "ab\r\nbcd\r\nb\r\n") == "bcd@3");
  CHECK(found(regex("foo$"), "foobar\r\nfoo\r\n") == "foo@7");
  CHECK(found(regex("^$"), "a\r\n\r\n") == "@2");
  CHECK(found(regex("a[^x]*"), "ab\r\nc\r\n") == "ab@0");  // not over the line's end
  CHECK(found(regex("\\bend\\b"), "ending\r\nthe end\r\n") == "end@11");
  size_t searched = 0;
  CHECK(regex("off$").find("power off", 0, searched, true));  // nothing follows
}

TEST_CASE("console pattern: a prompt matches at the first byte with which it can", "[machine]") {
  CHECK(found(regex("\\w+@\\w+:~# ", Kind::Prompt), "motd # 1\r\nroot@web1:~# ") == "root@web1:~# @9");
  CHECK(found(regex("\\d+", Kind::Prompt), "up 1234") == "1@3");
  CHECK(found(regex("^> ", Kind::Prompt), "a> \r\n> ") == "> @4");
  for (const char* bad : {"# $", "\\bx", "x\\z"}) CHECK_FALSE(ConsolePattern::regex(bad, Kind::Prompt));
  for (const char* good : {"\\$ ", "[$] ", "[]$]", "[^$]x"}) CHECK(ConsolePattern::regex(good, Kind::Prompt));
}

TEST_CASE("console pattern: a search goes on behind the last match, and a line's begin stays where it is", "[machine]") {
  const std::string text = "x: 1\nx: 2\n";
  size_t searched = 2;
  CHECK(regex("^x: (\\d)").find(text, 2, searched)->groups[1] == "2");
  searched = 0;
  CHECK(ConsolePattern::string("x").find(text, 1, searched)->begin == 5);
}

TEST_CASE("console pattern: errors say what is wrong", "[machine]") {
  CHECK(ConsolePattern::regex("(", Kind::Lines).error().message.find("missing )") != std::string::npos);
  CHECK(ConsolePattern::regex("a\\nb", Kind::Lines).error().message.find("one line") != std::string::npos);
  CHECK(ConsolePattern::regex("a\\\\nb", Kind::Lines));
  CHECK(ConsolePattern::regex("(?i)Ok", Kind::Lines)->contained_in("ok"));
  CHECK(ConsolePattern::regex("Ok", Kind::Lines, true)->contained_in("ok"));
}

TEST_CASE("console pattern: named groups", "[machine]") {
  const auto m = regex("(?P<name>\\w+)=(?P<value>\\w+)(?P<none>!)?").match_in("a=b");
  REQUIRE(m);
  CHECK(m->groups == std::vector<std::string>{"a=b", "a", "b", ""});
  CHECK(m->named.size() == 2);
}

TEST_CASE("console watches: every match from now on, with its place; gone with their owner", "[machine]") {
  ConsoleWatches watches;
  std::vector<std::string> seen;
  watches.on_match = [&](const auto& w, const auto& m, u64 offset) {
    seen.push_back(std::to_string(w.id) + " " + m.groups[0] + "@" + std::to_string(offset));
  };
  const auto feed = [&](const std::string& s) { watches.feed({reinterpret_cast<const u8*>(s.data()), s.size()}); };
  feed("ab ");
  const auto one = watches.add(ConsolePattern::string("ab"), false, 1), two = watches.add(regex("^.*c$"), true, 2);
  REQUIRE(one);
  REQUIRE(two);
  feed("ab a");
  feed("b c\nc\n");
  CHECK(seen == std::vector<std::string>{"1 ab@3", "1 ab@6", "2 c@11"});
  CHECK_FALSE(watches.remove(*one, 2));
  watches.remove_all(1);
  seen.clear();
  feed(std::string(1 << 20, 'x') + "ab\nc\n");
  CHECK(seen.empty());
  for (unsigned n = 0; n < 64; n++) CHECK(watches.add(ConsolePattern::string("needle"), false, 3));
  CHECK_FALSE(watches.add(ConsolePattern::string("needle"), false, 3));
  feed(std::string(1 << 20, 'x') + "needle");
  CHECK(seen.size() == 64);
  CHECK(seen[0].ends_with("needle@" + std::to_string(18 + (2 << 20))));
}
