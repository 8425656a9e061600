// Disks and discs of snapshots on adapters of a board without a guest.
#include "machine/snapshot/media.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "devices/scsi_host.h"
#include "machine/snapshot/state_sections.h"
#include "storage/formats/overlay_image.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"
#include "storage/store_registry.h"
#include "tests/support/storage_board.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using storage::BlockDevice;
using storage::BlockOp;
using storage::BlockStatus;
namespace fs = std::filesystem;

namespace {

constexpr u64 kDiskBytes = 8 << 20;

ResourceStatement statement(const std::string& text) {
  auto s = parse_resource_statement(text);
  INFO(text);
  REQUIRE(s);
  return *s;
}

/// The storage of one machine.
struct Board : test::StorageBoard {
  Board() = default;
  explicit Board(const std::string& text) { plug(text); }
  void plug(const std::string& text, const std::string& overlay_copy = "") {
    ResourceStatement s = statement(text);
    s.overlay_copy = overlay_copy;
    const auto ok = bays.plug(s);
    if (!ok) INFO(ok.error().message);
    REQUIRE(ok);
  }
  BlockDevice& disk(u8 target = 0) const { return bays.find({0, 2, target})->disk->device(); }
  storage::scsi::DvdDrive& dvd(u8 target = 0) const { return *bays.find({0, 2, target})->dvd; }
};

struct Fixture {
  const fs::path folder = fs::temp_directory_path() / ("ivm-media-" + std::to_string(getpid()));
  const SnapshotDirectory directory{(folder / "snapshots").string()};

  Fixture() { fs::create_directory(folder); }
  ~Fixture() { fs::remove_all(folder); }

  std::string file(const std::string& name, char fill, u64 size = kDiskBytes) const {
    std::ofstream(folder / name) << std::string(size, fill);
    fs::permissions(folder / name, fs::perms::owner_read | fs::perms::owner_write);
    return (folder / name).string();
  }
  Result<SnapshotManifest> save(const Board& board, const std::string& name, bool external = false) const {
    auto partial = directory.begin(name, false);
    REQUIRE(partial);
    SnapshotManifest m;
    m.name = name;
    if (auto ok = save_media(board.bays, external, **partial, m); !ok) return ok.error();
    const std::string text = to_text(m);
    REQUIRE((*partial)->write(snapshot_file::kManifest, {reinterpret_cast<const u8*>(text.data()), text.size()}));
    REQUIRE((*partial)->commit());
    return m;
  }
};

bool says(const Result<void>& r, std::string_view part) {
  if (!r) UNSCOPED_INFO(r.error().message);
  return !r && r.error().message.find(part) != std::string::npos;
}

void fill(BlockDevice& disk, u64 offset, u8 value) {
  std::vector<u8> bytes(4096, value);
  REQUIRE(disk.transfer(BlockOp::Write, offset, bytes.data(), bytes.size()) == BlockStatus::Ok);
}

u8 value_at(BlockDevice& disk, u64 offset) {
  std::vector<u8> bytes(512);
  REQUIRE(disk.transfer(BlockOp::Read, offset, bytes.data(), bytes.size()) == BlockStatus::Ok);
  return bytes[0];
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "snapshot media: an overlay is kept as it was, and every restored guest has its own", "[machine][snapshot]") {
  const std::string base = file("base", 'b');
  const std::string text = "disk:avio_stor:0,2,0:overlay:file:" + base;
  Board running(text);
  fill(running.disk(), 4096, 1);
  const auto saved = save(running, "one");
  REQUIRE(saved);
  REQUIRE(saved->media.size() == 1);
  CHECK(saved->media[0].keep == "overlay");
  CHECK(saved->media[0].size_bytes == kDiskBytes);
  fill(running.disk(), 4096, 2);  // goes on
  const std::string kept = directory.path_of("one", saved->media[0].overlay), before = content(kept);
  struct stat st;
  REQUIRE(stat(kept.c_str(), &st) == 0);
  CHECK(static_cast<u64>(st.st_blocks) * 512 < kDiskBytes / 8);  // holes stay holes

  Board first, second;
  first.plug(text, kept), second.plug(text, kept);
  for (const Board* board : {&first, &second}) {
    REQUIRE(check_media(*saved, board->bays));
    CHECK(value_at(board->disk(), 4096) == 1);
    CHECK(value_at(board->disk(), 8192) == 'b');
  }
  fill(first.disk(), 8192, 3);
  CHECK(value_at(second.disk(), 8192) == 'b');
  CHECK(content(kept) == before);

  // The guest that has gone on becomes the saved one.
  REQUIRE(load_media(directory, *saved, running.bays, true));
  CHECK(value_at(running.disk(), 4096) == 1);

  // The file says itself what it lies above.
  auto store = storage::open_store("ro:overlay:" + kept);
  REQUIRE(store);
  BlockDevice alone(std::move(*store));
  CHECK(value_at(alone, 4096) == 1);
  CHECK(value_at(alone, 0) == 'b');
  CHECK(content(base) == std::string(kDiskBytes, 'b'));

  // What a restored guest saves is whole too.
  const auto again = save(first, "two");
  REQUIRE(again);
  Board third;
  third.plug(text, directory.path_of("two", again->media[0].overlay));
  CHECK(value_at(third.disk(), 4096) == 1);
  CHECK(value_at(third.disk(), 8192) == 3);
}

TEST_CASE_METHOD(Fixture, "snapshot media: an overlay file of the user's stays his", "[machine][snapshot]") {
  const std::string base = file("base", 'b'), overlay = (folder / "mine").string();
  REQUIRE(storage::OverlayImage::create(overlay, "file:" + base, kDiskBytes));
  const std::string text = "disk:scsi:0,2,0:overlay:" + overlay;
  std::optional<SnapshotManifest> saved;
  {
    Board running(text);
    fill(running.disk(), 0, 1);
    saved = *save(running, "one");
  }
  const std::string before = content(overlay);
  Board restored;
  restored.plug(text, directory.path_of("one", saved->media[0].overlay));
  REQUIRE(check_media(*saved, restored.bays));
  fill(restored.disk(), 0, 2);
  CHECK(content(overlay) == before);
}

TEST_CASE_METHOD(Fixture, "snapshot media: a writable disk needs an overlay or its owner's word", "[machine][snapshot]") {
  const std::string path = file("plain", 'p');
  Board running("disk:avio_stor:0,2,0:file:" + path);
  const auto refusal = save(running, "one");
  REQUIRE_FALSE(refusal);
  CHECK(refusal.error().message.find("run the guest with disk:avio_stor:0,2,0:overlay:file:" + path + ", or use disks=external") != std::string::npos);
  CHECK(directory.names()->empty());

  const auto saved = save(running, "one", true);
  REQUIRE(saved);
  CHECK(saved->media[0].keep == "external");
  CHECK(check_media(*saved, running.bays));
  fill(running.disk(), 0, 1);
  CHECK(says(check_media(*saved, running.bays), "holds something else"));
  fill(running.disk(), 0, 'p');
  CHECK(check_media(*saved, running.bays));
  const Board larger("disk:avio_stor:0,2,0:file:" + file("larger", 'p', 2 * kDiskBytes));
  CHECK(says(check_media(*saved, larger.bays), "16777216 bytes, it was saved with 8388608"));
  const Board above("disk:avio_stor:0,2,0:overlay:file:" + file("other", 'p'));
  CHECK(says(check_media(*saved, above.bays), "it is an overlay here and was none"));
}

TEST_CASE_METHOD(Fixture, "snapshot media: a base that changed is recognised", "[machine][snapshot]") {
  const std::string base = file("base", 'b');
  const std::string text = "disk:avio_stor:0,2,0:overlay:file:" + base;
  std::optional<SnapshotManifest> saved;
  {
    Board running(text);
    saved = *save(running, "one");
  }
  std::fstream(base, std::ios::in | std::ios::out | std::ios::binary).seekp(kDiskBytes - 1).put('x');
  const Board restored(text);
  CHECK(says(check_media(*saved, restored.bays), base + " holds something else"));
}

TEST_CASE_METHOD(Fixture, "snapshot media: the machine must have the devices and adapters that were saved", "[machine][snapshot]") {
  const std::string a = "ro:file:" + file("a", 'a'), b = "ro:file:" + file("b", 'b');
  Board running("disk:avio_stor:0,2,0:" + a);
  running.plug("disk:avio_stor:0,3,1:" + b);
  const auto saved = save(running, "one");
  REQUIRE(saved);
  CHECK(saved->media[0].keep == "read-only");
  CHECK(check_media(*saved, running.bays));
  const Board less("disk:avio_stor:0,2,0:" + a);
  CHECK(says(check_media(*saved, less.bays), "it has no disk:avio_stor:0,3,1"));
  running.plug("disk:avio_stor:0,3,2:ro:file:" + file("c", 'c'));
  CHECK(says(check_media(*saved, running.bays), "it has a disk:avio_stor:0,3,2 more"));
  Board other("disk:scsi:0,2,0:" + a);
  other.plug("disk:avio_stor:0,3,1:" + b);
  CHECK(says(check_media(*saved, other.bays), "it has no disk:avio_stor:0,2,0"));

  // An adapter that had lost its devices comes back without any, and one that was to be converted is.
  REQUIRE(running.bays.detach({0, 3, 1}, false));
  REQUIRE(running.bays.detach({0, 3, 2}, false));
  REQUIRE(running.bays.convert(0, 2, "scsi"));
  const auto empty = save(running, "two");
  REQUIRE(empty);
  Board restored("disk:avio_stor:0,2,0:" + a);
  REQUIRE(check_media(*empty, restored.bays));
  REQUIRE(load_media(directory, *empty, restored.bays, false));
  REQUIRE(restored.bays.adapters().count({0, 3}) == 1);
  CHECK(restored.bays.adapters().at({0, 3}).devices.empty());
  CHECK(restored.bays.adapters().at({0, 2}).next_kind == "scsi");
}

TEST_CASE_METHOD(Fixture, "snapshot media: when one overlay does not open, no disk has changed", "[machine][snapshot]") {
  Board running("disk:avio_stor:0,2,0:overlay:file:" + file("a", 'a'));
  running.plug("disk:avio_stor:0,2,1:overlay:file:" + file("b", 'b'));
  const auto saved = save(running, "one");
  REQUIRE(saved);
  fill(running.disk(0), 0, 7);
  fs::resize_file(directory.path_of("one", saved->media[1].overlay), 100);
  CHECK_FALSE(load_media(directory, *saved, running.bays, true));
  CHECK(value_at(running.disk(0), 0) == 7);
}

TEST_CASE_METHOD(Fixture, "snapshot media: a DVD drive has its disc, tray and lock again", "[machine][snapshot]") {
  const std::string first = file("a.iso", 'a', 1 << 20), second = file("b.iso", 'b', 2 << 20);
  const std::string text = "dvd:avio_stor:0,2,0:file:" + first;
  const auto command = [](storage::scsi::DvdDrive& drive, std::initializer_list<u8> cdb) {
    storage::scsi::Result result;
    storage::scsi::Task task;
    std::copy(cdb.begin(), cdb.end(), task.cdb.begin());
    task.done = [&](const storage::scsi::Result& r) { result = r; };
    drive.submit(std::move(task));
    return result.status;
  };
  using storage::scsi::Status;
  const auto ready = [&](storage::scsi::DvdDrive& drive) { return command(drive, {0x00, 0, 0, 0, 0, 0}); };
  Board running(text);
  running.dvd().eject();
  REQUIRE(running.dvd().insert_choice("b.iso"));
  for (int n = 0; n < 4; n++) ready(running.dvd());  // the guest has heard of it
  REQUIRE(command(running.dvd(), {0x1e, 0, 0, 0, 1, 0}) == Status::Good);  // PREVENT
  const auto saved = save(running, "one");
  REQUIRE(saved);
  CHECK(saved->media[0].current == "file:" + second);
  StateSections state;
  running.bays.visit_state(state);

  const auto restore = [&](Board& board, const SnapshotManifest& m, std::vector<u8> bytes) {
    REQUIRE(check_media(m, board.bays));
    REQUIRE(load_media(directory, m, board.bays, false));
    auto in = StateSections::parse(std::move(bytes));
    REQUIRE(in);
    board.bays.visit_state(*in);
    REQUIRE(in->finish());
  };
  Board restored(text);
  restore(restored, *saved, state.serialize());
  CHECK(restored.dvd().current() == "file:" + second);
  CHECK(restored.dvd().locked());
  CHECK(ready(restored.dvd()) == Status::Good);  // no attention: nothing has changed for the guest

  // Unlocked, tray open, and then without a disc.
  REQUIRE(command(running.dvd(), {0x1e, 0, 0, 0, 0, 0}) == Status::Good);
  REQUIRE(command(running.dvd(), {0x1b, 0, 0, 0, 2, 0}) == Status::Good);
  const auto open = save(running, "open");
  StateSections open_state;
  running.bays.visit_state(open_state);
  Board third(text);
  restore(third, *open, open_state.serialize());
  CHECK(third.dvd().tray_open());
  running.dvd().eject();
  const auto empty = save(running, "empty");
  CHECK(empty->media[0].keep == "empty");
  StateSections empty_state;
  running.bays.visit_state(empty_state);
  Board fourth(text);
  restore(fourth, *empty, empty_state.serialize());
  CHECK_FALSE(fourth.dvd().has_disc());

  fs::remove(second);
  const Board late(text);
  CHECK(says(check_media(*saved, late.bays), "b.iso"));
}
