// Hot plug, media and conversion on adapters of a board without a guest.
#include "machine/storage_bays.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "devices/scsi_host.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"

#include "tests/support/storage_board.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
namespace fs = std::filesystem;

namespace {

constexpr bool kAtFirmware = true, kUnderSystem = false;

struct Fixture : test::StorageBoard {
  const fs::path folder = fs::temp_directory_path() / ("ivm-bays-" + std::to_string(getpid()));

  Fixture() { fs::create_directory(folder); }
  ~Fixture() { fs::remove_all(folder); }

  std::string file(const std::string& name, u64 size = 1 << 20) const {
    std::ofstream(folder / name).close();
    fs::resize_file(folder / name, size);
    fs::permissions(folder / name, fs::perms::owner_read | fs::perms::owner_write);
    return (folder / name).string();
  }
  static ResourceStatement statement(const std::string& text) {
    auto s = parse_resource_statement(text);
    INFO(text);
    REQUIRE(s);
    return *s;
  }
  void plug(const std::string& text) {
    std::vector<ResourceStatement> all = bays.statements();
    all.push_back(statement(text));
    REQUIRE(allocate_addresses(all));
    REQUIRE(bays.plug(all.back()));
  }
  template <class T>
  static bool refused(const Result<T>& r, std::string_view because) {
    if (!r) UNSCOPED_INFO(r.error().message);
    return !r && r.error().message.find(because) != std::string::npos;
  }
  storage::scsi::DvdDrive& dvd(u8 target) const { return *bays.find({0, 2, target})->dvd; }
};

constexpr DeviceAddress where(u8 slot, u8 target) { return {0, slot, target}; }

/// A command of the guest. @returns its status
storage::scsi::Result command(storage::scsi::ScsiTarget& target, std::initializer_list<u8> cdb) {
  storage::scsi::Result result;
  storage::scsi::Task task;
  std::copy(cdb.begin(), cdb.end(), task.cdb.begin());
  task.done = [&](const storage::scsi::Result& r) { result = r; };
  target.submit(std::move(task));
  return result;
}

/// Takes the unit attentions of a drive that has just appeared.
void settle(storage::scsi::ScsiTarget& target) {
  for (int i = 0; i < 4; i++) command(target, {0x00, 0, 0, 0, 0});
}

}  // namespace

TEST_CASE_METHOD(Fixture, "storage bays: AVIO disks come and go, with numbers given as at power-on", "[machine]") {
  plug("disk:avio_stor::file:" + file("a"));
  const auto added = bays.attach(statement("disk:avio_stor::file:" + file("b")), kUnderSystem);
  REQUIRE(added);
  CHECK(format_statement(added->statement) == "disk:avio_stor:0,2,1:file:" + (folder / "b").string());
  CHECK(added->note.empty());
  CHECK(bays.adapters().at({0, 2}).host->target(1) != nullptr);
  CHECK(refused(bays.attach(statement("disk:avio_stor:0,2,1:file:" + file("c")), kUnderSystem), "given twice"));
  CHECK(refused(bays.attach(statement("disk:avio_stor::file:" + (folder / "b").string()), kUnderSystem), "b"));  // its own writer holds it
  REQUIRE(bays.detach(where(2, 1), kUnderSystem));
  CHECK(bays.adapters().at({0, 2}).host->target(1) == nullptr);
  CHECK(refused(bays.detach(where(2, 1), kUnderSystem), "no device is at 0,2,1"));
  CHECK(refused(bays.detach(where(5, 1), kUnderSystem), "no storage adapter"));
  CHECK(bays.attach(statement("disk:avio_stor::file:" + (folder / "b").string()), kUnderSystem));  // free again
}

TEST_CASE_METHOD(Fixture, "storage bays: a VIO adapter is never added while the guest runs, an AVIO adapter is", "[machine]") {
  plug("disk:scsi:0,2,0:file:" + file("a"));
  CHECK(refused(bays.attach(statement("disk:scsi:0,4,0:file:" + file("b")), kUnderSystem), "VIO adapter cannot be added"));
  const auto beside = bays.attach(statement("disk:scsi:0,2,3:file:" + file("b")), kUnderSystem);
  REQUIRE(beside);
  CHECK(beside->note.find("scans") != std::string::npos);
  const auto adapter = bays.attach(statement("disk:avio_stor::file:" + file("c")), kUnderSystem);
  REQUIRE(adapter);
  CHECK(*adapter->statement.address.slot == 3);
  CHECK(adapter->note.find("PCI") != std::string::npos);
  CHECK(pci.bus(0).device(3) != nullptr);
  CHECK(refused(bays.attach(statement("disk:avio_stor:0,2,9:file:" + file("d")), kUnderSystem), "kind scsi"));
}

TEST_CASE_METHOD(Fixture, "storage bays: nothing is taken away while the guest is at EFI", "[machine]") {
  plug("disk:avio_stor::file:" + file("a"));
  CHECK(refused(bays.detach(where(2, 0), kAtFirmware), "at EFI"));
  CHECK(refused(bays.change(statement("disk:avio_stor:0,2,0:file:" + file("b")), kAtFirmware), "at EFI"));
  CHECK(bays.attach(statement("disk:avio_stor::file:" + file("c")), kAtFirmware)->note.find("reset") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "storage bays: an adapter without devices goes when the guest restarts", "[machine]") {
  plug("disk:avio_stor:0,2,0:file:" + file("a"));
  plug("disk:avio_stor:0,3,0:file:" + file("b"));
  CHECK(bays.detach(where(3, 0), kUnderSystem)->note.find("restarts") != std::string::npos);
  CHECK(pci.bus(0).device(3) != nullptr);
  bays.restart();
  CHECK(pci.bus(0).device(3) == nullptr);
  CHECK(pci.bus(0).device(2) != nullptr);
  CHECK(bays.adapters().size() == 1);
}

TEST_CASE_METHOD(Fixture, "storage bays: other storage behind an address; the old one stays when the new one does not open", "[machine]") {
  plug("disk:avio_stor:0,2,0:file:" + file("a"));
  const auto* before = bays.find(where(2, 0))->target;
  CHECK(refused(bays.change(statement("disk:avio_stor:0,2,0:file:" + (folder / "missing").string()), kUnderSystem), "missing"));
  CHECK(bays.find(where(2, 0))->target == before);
  CHECK(refused(bays.change(statement("dvd:avio_stor:0,2,0:file:" + file("x.iso")), kUnderSystem), "a disk is at 0,2,0"));
  CHECK(refused(bays.change(statement("disk:scsi:0,2,0:file:" + file("b")), kUnderSystem), "hba:scsi:0,2"));
  CHECK(refused(bays.change(statement("disk:avio_stor::file:" + file("b")), kUnderSystem), "bus,slot,target"));
  REQUIRE(bays.change(statement("disk:avio_stor:0,2,0:file:" + file("b", 2 << 20)), kUnderSystem));
  CHECK(bays.find(where(2, 0))->disk->device().size_bytes() == 2 << 20);
}

TEST_CASE_METHOD(Fixture, "storage bays: conversion keeps devices and addresses and waits for a restart", "[machine]") {
  plug("disk:scsi:0,2,0:file:" + file("a"));
  plug("dvd:scsi:0,2,4:null:" + folder.string());
  CHECK(bays.convert(0, 2, "avio_stor")->note.find("restarts") != std::string::npos);
  CHECK(bays.adapters().at({0, 2}).kind == "scsi");
  CHECK(format_statement(bays.statements()[0]) == "disk:scsi:0,2,0:file:" + (folder / "a").string());
  CHECK(format_statement(bays.next_statements()[0]) == "disk:avio_stor:0,2,0:file:" + (folder / "a").string());
  CHECK(format_statement(bays.next_statements()[1]) == "dvd:avio_stor:0,2,4:null:" + folder.string());
  bays.restart();
  const StorageAdapter& adapter = bays.adapters().at({0, 2});
  CHECK(adapter.kind == "avio_stor");
  CHECK(std::string(adapter.device->name()) == "virtio-scsi");
  CHECK(adapter.devices.size() == 2);
  CHECK(adapter.devices.at(0).disk != nullptr);
  CHECK(adapter.devices.at(4).dvd != nullptr);
  CHECK(format_statement(adapter.devices.at(0).statement) == "disk:avio_stor:0,2,0:file:" + (folder / "a").string());
  CHECK(pci.bus(0).device(2) == adapter.device.get());
  REQUIRE(bays.convert(0, 2, "scsi"));
  REQUIRE(bays.convert(0, 2, "avio_stor"));  // changed one's mind
  bays.restart();
  CHECK(bays.adapters().at({0, 2}).kind == "avio_stor");
}

TEST_CASE_METHOD(Fixture, "storage bays: conversions that Integrity VM refuses", "[machine]") {
  plug("disk:avio_stor:0,2,0:file:" + file("a"));
  CHECK(refused(bays.convert(0, 3, "scsi"), "no storage adapter"));
  CHECK(refused(bays.convert(0, 2, "avio_stor"), "already"));
  plug("disk:avio_stor:0,2,15:file:" + file("b"));
  CHECK(refused(bays.convert(0, 2, "scsi"), "target '15'"));
  REQUIRE(bays.detach(where(2, 15), kUnderSystem));
  CHECK(bays.convert(0, 2, "scsi"));
  plug("disk:avio_stor:0,2,16:file:" + (folder / "b").string());  // came after the order
  bays.restart();
  CHECK(bays.adapters().at({0, 2}).kind == "avio_stor");
}

TEST_CASE_METHOD(Fixture, "storage bays: EJ and IN, with a locked tray and images that anybody may write", "[machine]") {
  file("one.iso"), file("two.iso"), file("open.iso");
  fs::permissions(folder / "open.iso", fs::perms::others_write, fs::perm_options::add);
  plug("dvd:avio_stor:0,2,1:file:" + (folder / "one.iso").string());
  CHECK(refused(bays.insert({}, "two.iso"), "eject it first"));
  settle(dvd(1));
  CHECK(command(dvd(1), {0x1e, 0, 0, 0, 1}).status == storage::scsi::Status::Good);  // PREVENT ALLOW MEDIUM REMOVAL
  CHECK(refused(bays.eject({}, false), "locked the tray"));
  CHECK(dvd(1).has_disc());
  CHECK(command(dvd(1), {0x1e, 0, 0, 0, 0}).status == storage::scsi::Status::Good);
  REQUIRE(bays.eject({}, false));
  CHECK(dvd(1).current() == "null:" + folder.string());
  CHECK(refused(bays.eject({}, false), "empty"));
  CHECK(refused(bays.insert({}, "open.iso"), "not among"));
  CHECK(refused(bays.insert({}, "../one.iso"), "not among"));
  CHECK(refused(bays.insert({}, ""), "not among"));
  REQUIRE(bays.insert(where(2, 1), "two.iso"));
  CHECK(dvd(1).current() == "file:" + (folder / "two.iso").string());
  bays.restart();
  CHECK(dvd(1).current() == "file:" + (folder / "one.iso").string());
}

TEST_CASE_METHOD(Fixture, "storage bays: force ejects from a locked tray; several DVDs must be named", "[machine]") {
  CHECK(refused(bays.eject({}, false), "no DVD"));
  plug("dvd:avio_stor:0,2,1:file:" + file("one.iso"));
  plug("dvd:avio_stor:0,2,2:null:" + folder.string());
  CHECK(refused(bays.eject({}, false), "several DVDs, name one: 0,2,1 0,2,2"));
  settle(dvd(1));
  command(dvd(1), {0x1e, 0, 0, 0, 1});
  CHECK(dvd(1).locked());
  CHECK(bays.eject(where(2, 1), true));
  CHECK_FALSE(dvd(1).has_disc());
  CHECK_FALSE(dvd(1).locked());
  plug("disk:avio_stor:0,2,3:file:" + file("a"));
  CHECK(refused(bays.eject(where(2, 3), false), "no medium"));
}

TEST_CASE_METHOD(Fixture, "storage bays: a guest has each file once, by whatever path, device or adapter", "[machine]") {
  const std::string iso = file("one.iso"), link = (folder / "link.iso").string();
  fs::create_symlink(iso, link);
  plug("dvd:avio_stor:0,2,1:file:" + iso);
  const auto because = link + " already, by resource 'dvd:avio_stor:0,2,1:file:" + iso + "'";
  for (const std::string text : {"dvd:avio_stor:0,2,2:file:", "dvd:scsi:0,3,2:file:", "disk:avio_stor:0,2,3:ro:file:"}) {
    const auto plugged = bays.plug(statement(text + link));
    CHECK(refused(plugged, "resource '" + text + link + "': the guest has "));
    CHECK(refused(plugged, because));
    CHECK(plugged.error().kind == ErrorKind::Locked);
  }
  CHECK(refused(bays.attach(statement("dvd:avio_stor::file:" + link), kUnderSystem), because));
  CHECK(bays.adapters().size() == 1);
  REQUIRE(bays.eject({}, false));  // it comes back when the guest restarts
  CHECK(refused(bays.attach(statement("dvd:avio_stor::file:" + link), kUnderSystem), because));
  CHECK(bays.change(statement("dvd:avio_stor:0,2,1:file:" + link), kUnderSystem));  // another path in the same place
  plug("disk:avio_stor:0,2,4:overlay:ro:file:" + file("template"));
  plug("disk:avio_stor:0,2,5:overlay:ro:file:" + (folder / "template").string());  // each has changes of its own
}

TEST_CASE_METHOD(Fixture, "storage bays: a disc is in one drive at a time", "[machine]") {
  const std::string one = file("one.iso"), two = file("two.iso");
  plug("dvd:avio_stor:0,2,1:file:" + one);
  plug("dvd:avio_stor:0,2,2:null:" + folder.string());
  plug("dvd:avio_stor:0,2,3:null:" + folder.string());
  CHECK(refused(bays.insert(where(2, 2), "one.iso"), "this disc is at 0,2,1 of the guest, by resource 'dvd:avio_stor:0,2,1:file:" + one + "'"));
  REQUIRE(bays.insert(where(2, 2), "two.iso"));
  CHECK(refused(bays.insert(where(2, 3), "two.iso"), "is at 0,2,2"));
  REQUIRE(bays.eject(where(2, 1), false));
  REQUIRE(bays.insert(where(2, 3), "one.iso"));
  bays.restart();
  CHECK_FALSE(dvd(1).has_disc());  // its disc is in another drive, which keeps it
  REQUIRE(bays.eject(where(2, 3), false));
  bays.restart();
  CHECK(dvd(1).current() == "file:" + one);
  CHECK(dvd(2).current() == "file:" + two);
}

TEST_CASE_METHOD(Fixture, "storage bays: two drives that have each other's disc get their own back", "[machine]") {
  const std::string one = file("one.iso"), two = file("two.iso");
  plug("dvd:avio_stor:0,2,1:file:" + one);
  plug("dvd:avio_stor:0,2,2:file:" + two);
  for (const u8 target : {1, 2}) REQUIRE(bays.eject(where(2, target), false));
  REQUIRE(bays.insert(where(2, 1), "two.iso"));
  REQUIRE(bays.insert(where(2, 2), "one.iso"));
  bays.restart();
  CHECK(dvd(1).current() == "file:" + one);
  CHECK(dvd(2).current() == "file:" + two);
}

TEST_CASE_METHOD(Fixture, "storage bays: the guest's own tray movements are reported", "[machine]") {
  std::vector<bool> moves;
  bays.on_tray = [&](const ResourceStatement& s, bool open) {
    CHECK(*s.address.target == 1);
    moves.push_back(open);
  };
  plug("dvd:avio_stor:0,2,1:file:" + file("one.iso"));
  settle(dvd(1));
  command(dvd(1), {0x1b, 0, 0, 0, 2});  // START STOP UNIT: LOEJ
  command(dvd(1), {0x1b, 0, 0, 0, 3});
  CHECK(moves == std::vector<bool>{true, false});
}

TEST_CASE_METHOD(Fixture, "storage bays: a disk takes over the size of its store; a raw file is grown", "[machine]") {
  plug("disk:avio_stor:0,2,0:file:" + file("a"));
  CHECK(bays.resize(where(2, 0), 0)->note.find("what it was") != std::string::npos);
  fs::resize_file(folder / "a", 3 << 20);
  CHECK(bays.resize(where(2, 0), 0)->new_bytes == 3 << 20);
  const auto grown = bays.resize(where(2, 0), 4 << 20);
  REQUIRE(grown);
  CHECK(grown->old_bytes == 3 << 20);
  CHECK(grown->new_bytes == 4 << 20);
  CHECK(fs::file_size(folder / "a") == 4 << 20);
  CHECK(bays.find(where(2, 0))->disk->device().block_count() == 8192);
  CHECK(refused(bays.resize(where(2, 0), 1 << 20), "not made smaller"));
  CHECK(fs::file_size(folder / "a") == 4 << 20);
  plug("dvd:avio_stor:0,2,1:file:" + file("one.iso"));
  CHECK(refused(bays.resize(where(2, 1), 0), "no disk"));
  CHECK(refused(bays.resize(where(2, 9), 0), "no device"));
}
