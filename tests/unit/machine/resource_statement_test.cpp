// Resource statements: grammar, ranges, allocation.
#include "machine/resource_statement.h"

#include <algorithm>
#include <span>
#include <string>

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

// @source integrity-vm reference 2.1: not every device type accepts every storage type
TEST_CASE("resource statement: each kind of device has its kinds of storage", "[machine]") {
  const std::string disk[] = {"disk", "lv", "file"}, dvd[] = {"disk", "file", "null"}, attached[] = {"attach", "attach_path"};
  const auto allowed = [](std::span<const std::string> list, const std::string& storage) { return std::find(list.begin(), list.end(), storage) != list.end(); };
  for (const std::string device : {"disk", "dvd", "tape", "changer", "burner"})
    for (const std::string storage : {"disk", "lv", "file", "null", "attach", "attach_path"})
      for (const std::string adapter : {"scsi", "avio_stor"}) {
        const auto list = device == "disk" ? std::span<const std::string>(disk) : device == "dvd" ? std::span<const std::string>(dvd) : std::span<const std::string>(attached);
        INFO(device << " on " << storage << " by " << adapter);
        CHECK(parse_resource_statement(device + ":" + adapter + ":0,1,2:" + storage + ":/dev/x").ok() == allowed(list, storage));
      }
}

TEST_CASE("resource statement: errors name the statement and the cause", "[machine]") {
  CHECK(error_of("disk:avio_stor:8,0,0:file:x").find("bus '8'") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,8,0:file:x").find("slot '8'") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,0,128:file:x").find("target '128'") != std::string::npos);
  CHECK(error_of("disk:scsi:0,0,15:file:x").find("0 to 14") != std::string::npos);  // 15 is the adapter itself
  CHECK(error_of("disk:scsi:7,7,0:file:x").find("reserved") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0,0,1,2:file:x").find("more than") != std::string::npos);
  CHECK(error_of("disk:avio_stor:0:file:x").find("together") != std::string::npos);
  CHECK(error_of("disk:avio_stor::file:").find("empty") != std::string::npos);
  CHECK(error_of("floppy:avio_stor::file:x").find("'floppy'") != std::string::npos);
  CHECK(error_of("disk:ide::file:x").find("'ide'") != std::string::npos);
  CHECK(error_of("disk:avio_stor::tapefile:x").find("'tapefile'") != std::string::npos);
  CHECK(error_of("nonsense").find("expected") != std::string::npos);
}

namespace {

/// `count` statements `disk:ADAPTER:ADDRESS:STORE:x`.
std::vector<ResourceStatement> many(unsigned count, const std::string& adapter, const std::string& address = "",
                                    const std::string& store = "lv") {
  std::vector<ResourceStatement> out;
  for (unsigned n = 0; n < count; n++)
    out.push_back(*parse_resource_statement("disk:" + adapter + ":" + address + ":" + store + ":x"));
  return out;
}

std::string allocation_error(std::vector<ResourceStatement> s) {
  auto r = allocate_addresses(s);
  REQUIRE_FALSE(r);
  return r.error().message;
}

}  // namespace

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

TEST_CASE("allocation: VIO and AVIO adapters get slots of their own", "[machine]") {
  auto s = parse_all({"disk:scsi::file:a", "disk:avio_stor::file:b", "disk:scsi::file:c", "disk:avio_stor:0,3,9:file:d"});
  REQUIRE(allocate_addresses(s));
  CHECK(*s[0].address.slot == 2);
  CHECK(*s[2].address.slot == 2);
  CHECK(*s[2].address.target == 1);
  CHECK(*s[1].address.slot == 3);  // the adapter that another statement names
  CHECK(*s[1].address.target == 0);
}

TEST_CASE("allocation: a slot holds one kind of adapter", "[machine]") {
  CHECK(allocation_error(parse_all({"disk:scsi:1,4,0:file:a", "disk:avio_stor:1,4,1:file:b"}))
            .find("slot 4 of bus 1 already has an adapter of kind scsi") != std::string::npos);
}

TEST_CASE("allocation: a full VIO adapter is followed by another, up to 30 devices", "[machine]") {
  auto s = many(30, "scsi");
  REQUIRE(allocate_addresses(s));
  CHECK(*s[14].address.slot == 2);
  CHECK(*s[14].address.target == 14);
  CHECK(*s[15].address.slot == 3);
  CHECK(*s[15].address.target == 0);
  CHECK(allocation_error(many(31, "scsi")).find("at most 30 scsi devices") != std::string::npos);
}

TEST_CASE("allocation: 128 AVIO devices fit on one adapter, beside 30 VIO devices", "[machine]") {
  auto s = many(128, "avio_stor");
  for (const auto& vio : many(30, "scsi")) s.push_back(vio);
  REQUIRE(allocate_addresses(s));
  CHECK(*s[127].address.slot == 2);
  CHECK(*s[127].address.target == 127);
  CHECK(*s[128].address.slot == 3);
  CHECK(allocation_error(many(129, "avio_stor")).find("at most 128 avio_stor devices") != std::string::npos);
}

TEST_CASE("allocation: an adapter named without target can be full", "[machine]") {
  CHECK(allocation_error(many(16, "scsi", "0,5")).find("adapter 0,5 has no free target") != std::string::npos);
}

TEST_CASE("allocation: 30 file backing stores, over VIO and AVIO together; other kinds of store do not count", "[machine]") {
  auto s = many(14, "scsi", "", "file");
  for (const auto& avio : many(15, "avio_stor", "", "file")) s.push_back(avio);
  for (const auto& other : many(40, "avio_stor", "", "qcow2")) s.push_back(other);
  s.push_back(*parse_resource_statement("dvd:avio_stor::file:x"));
  REQUIRE(allocate_addresses(s));
  s.push_back(*parse_resource_statement("disk:scsi::file:x"));
  CHECK(allocation_error(s).find("at most 30 file backing stores") != std::string::npos);
}

TEST_CASE("allocation: a target beyond its adapter is refused however it came about", "[machine]") {
  auto s = parse_all({"disk:avio_stor:0,2,20:lv:x"});
  s[0].adapter = "scsi";
  CHECK(allocation_error(s).find("target '20' is not a number from 0 to 14") != std::string::npos);
}

TEST_CASE("adapter statement: hba, kind, bus and slot", "[machine]") {
  const auto s = parse_adapter_statement("hba:aviostor:1,3");
  REQUIRE(s);
  CHECK(s->adapter == "avio_stor");
  CHECK(*s->address.bus == 1);
  CHECK(*s->address.slot == 3);
  CHECK(format_statement(*s) == "hba:avio_stor:1,3");
  for (const char* bad : {"hba:ide:1,3", "hba:scsi:1", "hba:scsi:1,3,0", "hba:scsi:7,7", "hba:scsi:", "hba", "disk:scsi:1,3", "hba:scsi:1,3:file"})
    CHECK_FALSE(parse_adapter_statement(bad));
}

TEST_CASE("resource statement: written back as it was meant", "[machine]") {
  for (const char* text : {"disk:avio_stor:1,3,22:file:/a:b/c.img", "dvd:scsi::null:/isos", "tape:scsi:0,4:attach:/dev/sg1"})
    CHECK(format_statement(parse_all({text})[0]) == text);
}
