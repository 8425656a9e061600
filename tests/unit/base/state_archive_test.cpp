// One description for saving and loading.
#include "base/state_archive.h"

#include "tests/support/state.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::testing;

namespace {

enum class Colour : u16 { Red = 1, Blue = 0x1234 };

struct Inner {
  u8 a = 0;
  bool b = false;
  bool operator==(const Inner&) const = default;
  void visit_state(StateArchive& s) { s(a, b); }
};

struct Outer {
  u32 word = 0;
  Colour colour = Colour::Red;
  std::array<u16, 2> pair{};
  std::vector<Inner> list;
  std::optional<u64> maybe;
  std::u16string name;
  std::map<u8, std::string> table;
  std::atomic<u32> counter{0};
  void visit_state(StateArchive& s) { s(word, colour, pair, list, maybe, name, table, counter); }
};

}  // namespace

TEST_CASE("state: fields are little-endian in order, sequences have their length in front", "[base]") {
  Outer o;
  o.word = 0x01020304, o.colour = Colour::Blue, o.pair = {5, 6}, o.list = {{7, true}}, o.maybe = 8, o.name = u"x", o.counter = 9;
  o.table = {{10, "ab"}};
  CHECK(saved_state(o) == std::vector<u8>{4,   3, 2, 1, 0x34, 0x12, 5, 0, 6, 0, 1, 0, 0, 0,  7, 1, 1, 8, 0,   0,   0, 0, 0,
                                          0,   0, 1, 0, 0,    0,    'x', 0, 1, 0, 0, 0, 10, 2, 0, 0, 0, 'a', 'b', 9, 0, 0, 0});
}

TEST_CASE("state: what was saved is loaded", "[base]") {
  Outer o, p;
  o.word = 77, o.pair = {1, 65535}, o.list = {{1, true}, {2, false}}, o.name = u"name", o.table = {{1, ""}, {200, "y"}}, o.counter = 3;
  p.list.resize(9), p.maybe = 4;
  CHECK(load_state(p, saved_state(o)).empty());
  CHECK(saved_state(p) == saved_state(o));
  CHECK(p.list == o.list);
  CHECK_FALSE(p.maybe);
}

TEST_CASE("state: every cut and every damaged length is told and takes no memory", "[base]") {
  Outer o;
  o.list = {{1, true}}, o.table = {{1, "a"}, {2, "b"}}, o.name = u"n";
  const auto good = saved_state(o);
  for (size_t size = 0; size < good.size(); size++) {
    Outer p;
    INFO(size);
    CHECK_FALSE(load_state(p, std::span(good).first(size)).empty());
  }
  auto huge = good;
  for (size_t n = 10; n < 14; n++) huge[n] = 0xff;  // the length of `list`
  Outer p;
  CHECK(load_state(p, huge) == "a length is out of range");
  CHECK(p.list.empty());
}

TEST_CASE("state: a flag that is neither, a key twice, another fixed length and a broken rule are refused", "[base]") {
  struct Flag {
    bool b = false;
    void visit_state(StateArchive& s) { s(b); }
  } flag;
  CHECK(load_state(flag, std::vector<u8>{2}) == "a flag is out of range");
  struct Table {
    std::map<u8, u8> m;
    void visit_state(StateArchive& s) { s(m); }
  } table;
  CHECK(load_state(table, std::vector<u8>{2, 0, 0, 0, 1, 1, 1, 2}) == "a key, which is there twice, is out of range");
  struct Pins {
    std::vector<u8> pins = {1, 2};
    void visit_state(StateArchive& s) { s.fixed(pins, "the number of pins"); }
  } pins;
  CHECK(load_state(pins, std::vector<u8>{3, 0, 0, 0, 1, 2, 3}) == "the number of pins differs");
  struct Rule {
    u8 index = 0;
    void visit_state(StateArchive& s) {
      s(index);
      s.require(index < 16, "the index");
    }
  } rule;
  CHECK(load_state(rule, std::vector<u8>{16}) == "the index is out of range");
  CHECK(load_state(rule, std::vector<u8>{15}).empty());
}
