// Resource statements: grammar, ranges, allocation.
#include "machine/resource_statement.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;

namespace {

std::vector<ResourceStatement> parse_all(std::initializer_list<const char*> texts) {
  std::vector<ResourceStatement> out;
  for (const char* t : texts) {
    auto s = parse_resource_statement(t);
    REQUIRE(s);
    out.push_back(*s);
  }
  return out;
}

std::string error_of(const char* text) {
  auto s = parse_resource_statement(text);
  REQUIRE_FALSE(s);
  return s.error().message;
}

}  // namespace

TEST_CASE("resource statement: full address and a path with colons", "[machine]") {
  const auto s = parse_all({"disk:avio_stor:1,3,22:file:/a:b/c.img"})[0];
  CHECK(*s.address.bus == 1);
  CHECK(*s.address.slot == 3);
  CHECK(*s.address.target == 22);
  CHECK(s.location == "/a:b/c.img");
}

TEST_CASE("resource statement: the alias aviostor is avio_stor", "[machine]") {
  CHECK(parse_all({"disk:aviostor::file:x"})[0].adapter == "avio_stor");
}

TEST_CASE("resource statement: errors name the statement and the cause", "[machine]") {
  CHECK(error_of("disk:avio_stor:8,0,0:file:x").find("bus '8'") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,8,0:file:x").find("slot '8'") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,0,128:file:x").find("target '128'") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,0,1,2:file:x").find("more than") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0:file:x").find("together") != std::string::npos);
  CHECK(error_of("disk:avio_stor::file:").find("empty") != std::string::npos);
  CHECK(error_of("floppy:avio_stor::file:x").find("'floppy'") != std::string::npos);
  CHECK(error_of("disk:ide::file:x").find("'ide'") != std::string::npos);
  CHECK(error_of("disk:avio_stor::tapefile:x").find("'tapefile'") != std::string::npos);
  CHECK(error_of("nonsense").find("expected") != std::string::npos);
}

TEST_CASE("allocation: omitted numbers start at bus 0 slot 2 target 0", "[machine]") {
  auto s = parse_all({"disk:avio_stor::file:a", "disk:avio_stor::file:b"});
  REQUIRE(allocate_addresses(s));
  CHECK(*s[0].address.bus == 0);
  CHECK(*s[0].address.slot == 2);
  CHECK(*s[0].address.target == 0);
  CHECK(*s[1].address.target == 1);
}

TEST_CASE("allocation: free targets are found around given ones", "[machine]") {
  auto s = parse_all({"disk:avio_stor::file:a", "disk:avio_stor:0,2,0:file:b", "disk:avio_stor:0,2:file:c"});
  REQUIRE(allocate_addresses(s));
  CHECK(*s[0].address.target == 1);
  CHECK(*s[2].address.target == 2);
}

TEST_CASE("allocation: a target given twice is refused", "[machine]") {
  auto s = parse_all({"disk:avio_stor:0,1,5:file:a", "disk:avio_stor:0,1,5:file:b"});
  auto r = allocate_addresses(s);
  REQUIRE_FALSE(r);
  CHECK(r.error().message.find("twice") != std::string::npos);
}
