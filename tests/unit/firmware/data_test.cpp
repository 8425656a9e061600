// GUIDs, CRC, device paths, boot options, variables, calendar, handle database, keys.
#include <ctime>
#include <random>

#include "base/endian.h"
#include "firmware/efi/boot_options.h"
#include "firmware/efi/console.h"
#include "firmware/efi/crc32.h"
#include "firmware/efi/handle_db.h"
#include "firmware/efi/time.h"
#include "firmware/efi/variables.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::firmware;

TEST_CASE("CRC-32 gives the standard's check value, in one piece or several") {
  const u8 text[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  CHECK(crc32(text) == 0xcbf43926);
  CHECK(crc32({text + 4, 5}, crc32({text, 4})) == 0xcbf43926);
  CHECK(crc32({}) == 0);
}

TEST_CASE("GUID text is the registry form both ways") {
  CHECK(to_text(guid::kEfiSystemPartition) == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
  CHECK(parse_guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b") == guid::kEfiSystemPartition);
  CHECK(!parse_guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93"));
  CHECK(!parse_guid("c12a7328xf81f-11d2-ba4b-00a0c93ec93b"));
  CHECK(!parse_guid("g12a7328-f81f-11d2-ba4b-00a0c93ec93b"));
}

TEST_CASE("device paths print as Integrity firmware prints them") {
  CHECK(DevicePath().acpi(DevicePath::kPnp0a03, 0).pci(2, 0).scsi(0x16, 0).to_text() ==
        "Acpi(PNP0A03,0)/Pci(2|0)/Scsi(Pun16,Lun0)");
  CHECK(DevicePath()
            .acpi(DevicePath::kPnp0501, 0)
            .uart(115200)
            .vendor_messaging(guid::kTerminalPcAnsi)
            .to_text() == "Acpi(PNP0501,0)/Uart(115200 N81)/VenMsg(PcAnsi)");
  CHECK(DevicePath().acpi(0x0002'f022, 0x100).to_text() == "Acpi(HWP0200,100)");
  CHECK(DevicePath()
            .hard_drive_gpt(1, 34, 1000, guid::kEfiSystemPartition)
            .file("\\EFI\\HPUX\\HPUX.EFI")
            .to_text() == "HD(Part1,SigC12A7328-F81F-11D2-BA4B-00A0C93EC93B)/\\EFI\\HPUX\\HPUX.EFI");
}

TEST_CASE("a hard drive node has the bytes of the standard") {
  const auto b = DevicePath().hard_drive_gpt(2, 0x22, 0x1000, guid::kEfiSystemPartition).bytes();
  REQUIRE(b.size() == 42 + 4);
  CHECK(b[0] == 4);
  CHECK(b[1] == 1);
  CHECK(load_le<u16>(&b[2]) == 42);
  CHECK(load_le<u32>(&b[4]) == 2);
  CHECK(load_le<u64>(&b[8]) == 0x22);
  CHECK(load_le<u64>(&b[16]) == 0x1000);
  CHECK(load_le<u32>(&b[24]) == 0xc12a7328);
  CHECK(b[40] == 2);
  CHECK(b[41] == 2);
  CHECK(b[42] == 0x7f);
  CHECK(b[43] == 0xff);
}

TEST_CASE("device paths from strangers are checked") {
  const auto good = DevicePath().acpi(DevicePath::kPnp0a03, 1).pci(3, 1).bytes();
  CHECK(DevicePath::parse(good).has_value());
  for (size_t n = 0; n < good.size(); n++) CHECK(!DevicePath::parse({good.data(), n}));
  auto bad = good;
  bad[2] = 3;  // shorter than a header
  CHECK(!DevicePath::parse(bad));
  bad[2] = 0xff, bad[3] = 0xff;
  CHECK(!DevicePath::parse(bad));
  std::mt19937 random(2);
  for (int round = 0; round < 20000; round++) {
    std::vector<u8> bytes(random() % 64);
    for (auto& x : bytes) x = random() % 3 ? static_cast<u8>(random() % 16) : static_cast<u8>(random());
    if (const auto p = DevicePath::parse(bytes)) (void)p->to_text(), (void)p->file_path();
  }
}

TEST_CASE("prefixes split at nodes") {
  const auto disk = DevicePath().acpi(DevicePath::kPnp0a03, 0).pci(1, 0);
  auto whole = disk;
  whole.scsi(0, 0).file("\\A");
  DevicePath rest;
  CHECK(disk.is_prefix_of(whole, rest));
  CHECK(rest.to_text() == "Scsi(Pun0,Lun0)/\\A");
  CHECK(!DevicePath().acpi(DevicePath::kPnp0a03, 1).is_prefix_of(whole, rest));
  CHECK(!whole.is_prefix_of(disk, rest));
}

TEST_CASE("boot options survive the way through their bytes, and cut-off ones are refused") {
  BootOption o;
  o.number = 3;
  o.description = u"HP-UX Primary Boot";
  o.path.hard_drive_gpt(1, 34, 99, guid::kEfiSystemPartition).file("\\EFI\\HPUX\\HPUX.EFI");
  o.optional_data = {1, 2, 3};
  const auto b = o.bytes();
  CHECK(load_le<u32>(&b[0]) == 1);
  CHECK(load_le<u16>(&b[4]) == o.path.bytes().size());
  const auto p = BootOption::parse(3, b);
  REQUIRE(p);
  CHECK(p->description == o.description);
  CHECK(p->path == o.path);
  CHECK(p->optional_data == o.optional_data);
  for (size_t n = 0; n < b.size() - 3; n++) CHECK(!BootOption::parse(3, {b.data(), n}));
}

TEST_CASE("the boot manager's variables: add, order, next, remove") {
  VariableStore v;
  BootOptions options(v);
  BootOption o;
  o.path.pci(0, 0);
  o.description = u"a";
  CHECK(options.add(o) == u16{0});
  o.description = u"b";
  CHECK(options.add(o) == u16{1});
  options.set_order({1, 7, 0});
  const auto list = options.in_order();
  REQUIRE(list.size() == 2);
  CHECK(list[0].description == u"b");
  options.set_next(1);
  CHECK(options.next() == u16{1});
  options.remove(1);
  CHECK(!options.next());
  CHECK(options.in_order().size() == 1);
  CHECK(BootOptions::variable_name(u"Boot", 0x1a2f) == u"Boot1A2F");
  options.set_timeout(5);
  CHECK(options.timeout() == u16{5});
}

namespace {
const VariableStore::Key kA{u"A", guid::kGlobalVariable}, kB{u"B", guid::kGlobalVariable};
constexpr u32 kNv = 1, kBs = 2, kRt = 4;
const u8 kOne[] = {1}, kTwo[] = {2, 2};
}  // namespace

TEST_CASE("variable attributes decide who sees and changes what") {
  VariableStore v;
  CHECK(v.set(kA, kBs, kOne, false) == efi::kSuccess);
  CHECK(v.set(kB, kNv | kBs | kRt, kOne, false) == efi::kSuccess);
  CHECK(v.get(kA, false) != nullptr);
  CHECK(v.get(kA, true) == nullptr);
  CHECK(v.set(kA, kBs, kTwo, true) == efi::kInvalidParameter);
  CHECK(v.set(kA, kRt, kOne, false) == efi::kInvalidParameter);
  CHECK(v.set(kA, kBs | 0x100, kOne, false) == efi::kInvalidParameter);
  CHECK(v.set(kB, kBs | kRt, kOne, false) == efi::kInvalidParameter);
  CHECK(v.set({u"", guid::kGlobalVariable}, kBs, kOne, false) == efi::kInvalidParameter);
  CHECK(v.set({u"C", guid::kGlobalVariable}, kBs | kRt, kOne, true) == efi::kInvalidParameter);
  CHECK(v.set({u"C", guid::kGlobalVariable}, kNv | kBs | kRt, kOne, true) == efi::kSuccess);
  CHECK(v.set({u"D", guid::kGlobalVariable}, kBs, {}, false) == efi::kNotFound);
  VariableStore::Key key;
  CHECK(v.next(key, true) == efi::kSuccess);
  CHECK(key == kB);
  CHECK(v.next(key, true) == efi::kSuccess);
  CHECK(v.next(key, true) == efi::kNotFound);
  key = {u"no such", guid::kGlobalVariable};
  CHECK(v.next(key, false) == efi::kInvalidParameter);
  CHECK(v.set(kA, kBs, {}, false) == efi::kSuccess);
  CHECK(v.get(kA, false) == nullptr);
}

TEST_CASE("the quota holds and a full store still takes deletions") {
  VariableStore v;
  const std::vector<u8> big(30000);
  int stored = 0;
  while (stored < 100 && v.set({std::u16string(1, static_cast<char16_t>(u'a' + stored)), {}}, kNv | kBs, big,
                               false) == efi::kSuccess)
    stored++;
  CHECK(stored == 4);
  CHECK(v.set(kA, kNv | kBs, std::vector<u8>(40000), false) == efi::kOutOfResources);
  CHECK(v.set({u"a", {}}, kNv | kBs, {}, false) == efi::kSuccess);
  CHECK(v.set({u"z", {}}, kNv | kBs, big, false) == efi::kSuccess);
}

TEST_CASE("only non-volatile variables reach the NVRAM image, and damage is noticed") {
  VariableStore v;
  (void)v.set(kA, kBs, kOne, false);
  CHECK(!v.take_dirty());
  (void)v.set(kB, kNv | kBs | kRt, kTwo, false);
  CHECK(v.take_dirty());
  (void)v.set(kB, kNv | kBs | kRt, kTwo, false);
  CHECK(!v.take_dirty());
  const auto image = v.save();
  VariableStore w;
  REQUIRE(w.load(image));
  CHECK(w.get(kA, false) == nullptr);
  REQUIRE(w.get(kB, false));
  CHECK(w.get(kB, false)->data == std::vector<u8>{2, 2});
  CHECK(w.save() == image);
  for (size_t n = 0; n < image.size(); n++) {
    auto bad = image;
    bad[n] ^= 0x10;
    // Two words are not covered: the entry count's reserved neighbour and, by design, nothing else.
    if (n < 24) CHECK(!w.load(bad));
    if (n >= 32) CHECK(!w.load(bad));
    (void)w.load({image.data(), n});
  }
  CHECK(!w.load({image.data(), 10}));
  CHECK(w.get(kB, false) == nullptr);
}

TEST_CASE("calendar arithmetic agrees with the C library from 1970 to 2099") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; i++) {
    const i64 seconds = static_cast<i64>(random() % 4'102'444'800ull);
    const EfiTime t = to_efi_time(seconds, 0);
    const std::time_t c = seconds;
    std::tm tm{};
    gmtime_r(&c, &tm);
    REQUIRE(t.year == tm.tm_year + 1900);
    REQUIRE(t.month == tm.tm_mon + 1);
    REQUIRE(t.day == tm.tm_mday);
    REQUIRE(t.hour == tm.tm_hour);
    REQUIRE(t.minute == tm.tm_min);
    REQUIRE(t.second == tm.tm_sec);
    REQUIRE(to_seconds(t) == seconds);
  }
  EfiTime t = to_efi_time(1'000'000'000, 0);
  CHECK(valid(t));
  t.month = 2, t.day = 29, t.year = 2000;
  CHECK(valid(t));
  t.year = 2100;
  CHECK(!valid(t));
  t.year = 2001;
  CHECK(!valid(t));
  t.day = 28, t.hour = 24;
  CHECK(!valid(t));
}

TEST_CASE("handle database: install, find, open, close, uninstall") {
  HandleDatabase db;
  std::vector<u64> signalled;
  db.on_install([&](u64 e) { signalled.push_back(e); });
  const u64 cookie = db.add_registration(guid::kBlockIo, 0x99);
  EfiHandle h = 0, agent = 0;
  CHECK(db.install(h, guid::kBlockIo, 0x1000) == efi::kSuccess);
  CHECK(db.install(agent, guid::kLoadedImage, 0) == efi::kSuccess);
  CHECK(h != 0);
  CHECK(db.install(h, guid::kBlockIo, 0x2000) == efi::kInvalidParameter);
  CHECK(signalled == std::vector<u64>{0x99});
  CHECK(db.next_registered(cookie) == h);
  CHECK(!db.next_registered(cookie));
  CHECK(db.find(h, guid::kBlockIo) == u64{0x1000});
  CHECK(db.find(agent, guid::kLoadedImage) == u64{0});
  CHECK(db.with(guid::kBlockIo) == std::vector<EfiHandle>{h});
  u64 interface = 0;
  CHECK(db.open(h, guid::kBlockIo, agent, h, open_protocol::kByDriver, interface) == efi::kSuccess);
  CHECK(interface == 0x1000);
  CHECK(db.open(h, guid::kBlockIo, agent, h, open_protocol::kByDriver, interface) == efi::kAlreadyStarted);
  CHECK(db.open(h, guid::kBlockIo, agent, agent, open_protocol::kByDriver, interface) == efi::kAccessDenied);
  CHECK(db.open(h, guid::kBlockIo, agent, 0, open_protocol::kExclusive, interface) == efi::kAccessDenied);
  CHECK(db.open(h, guid::kBlockIo, 0, 0, open_protocol::kGet, interface) == efi::kSuccess);
  CHECK(db.open(h, guid::kDiskIo, 0, 0, open_protocol::kGet, interface) == efi::kUnsupported);
  CHECK(db.open(h, guid::kBlockIo, agent, h, 0x40, interface) == efi::kInvalidParameter);
  CHECK(db.open_information(h, guid::kBlockIo)->size() == 2);
  CHECK(db.uninstall(h, guid::kBlockIo, 0x1000) == efi::kAccessDenied);
  CHECK(db.close(h, guid::kBlockIo, agent, h) == efi::kSuccess);
  CHECK(db.close(h, guid::kBlockIo, agent, h) == efi::kNotFound);
  CHECK(db.uninstall(h, guid::kBlockIo, 0x2000) == efi::kNotFound);
  CHECK(db.uninstall(h, guid::kBlockIo, 0x1000) == efi::kSuccess);
  CHECK(!db.exists(h));
}

namespace {
std::vector<InputKey> keys(std::string_view bytes, u64 gap_ns = 1000) {
  KeyDecoder d;
  u64 now = 0;
  std::vector<InputKey> out;
  for (const char c : bytes) {
    d.feed(static_cast<u8>(c), now += gap_ns);
    while (const auto k = d.next(now)) out.push_back(*k);
  }
  while (const auto k = d.next(now + KeyDecoder::kEscapeNs)) out.push_back(*k);
  return out;
}
}  // namespace

TEST_CASE("terminal sequences become EFI keys") {
  CHECK(keys("a\r\nb\n") == std::vector<InputKey>{{0, u'a'}, {0, u'\r'}, {0, u'b'}, {0, u'\r'}});
  CHECK(keys("\x1b[A\x1bOB\x1b[5~x") == std::vector<InputKey>{{1, 0}, {2, 0}, {9, 0}, {0, u'x'}});
  CHECK(keys("\x1b") == std::vector<InputKey>{{0x17, 0}});
  CHECK(keys("\x1b"
             "a",
             KeyDecoder::kEscapeNs) == std::vector<InputKey>{{0x17, 0}, {0, u'a'}});
  CHECK(keys("\x7f") == std::vector<InputKey>{{0, u'\b'}});
  CHECK(keys("\xc3\xa4") == std::vector<InputKey>{{0, u'\u00e4'}});
  CHECK(keys("\x1b[99;99Zq") == std::vector<InputKey>{{0, u'q'}});
  CHECK(keys("\x1b[21~\x1bOP") == std::vector<InputKey>{{20, 0}, {11, 0}});
}
