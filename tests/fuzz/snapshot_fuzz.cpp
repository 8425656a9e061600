// Damaged snapshots: state files in front of a whole machine, which must go on or be reset, and manifests.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cpu/core.h"
#include "firmware/firmware.h"
#include "machine/board.h"
#include "machine/guest_cpu_adapter.h"
#include "machine/snapshot/manifest.h"
#include "machine/snapshot/state_sections.h"
#include "storage/store_registry.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/storage_board.h"

namespace ia64::fuzz {
namespace {

using namespace machine;

struct StandingClock final : Clock {
  u64 now_ns() const override { return 1'000'000'000; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

struct DeafConsole final : CharChannel {
  void write(std::span<const u8>) override {}
  void set_receiver(std::function<size_t(std::span<const u8>)>) override {}
  void receiver_ready() override {}
  void set_break_handler(std::function<void()>) override {}
};

struct QuietHost final : firmware::FirmwareHost {
  void power_off() override {}
  void reset(bool) override {}
  void wall_clock(i64& seconds, u32& nanoseconds) override { seconds = 1'700'000'000, nanoseconds = 0; }
  void set_wall_clock(i64) override {}
  std::vector<u8> load_nvram() override { return {}; }
  bool save_nvram(const std::vector<u8>&) override { return true; }
};

/// A board with a disk and a DVD on either kind of adapter, a processor and firmware, as a Machine puts them together.
class WholeMachine {
 public:
  WholeMachine() {
    MachineConfig config;
    config.memory_bytes = u64{64} << 20;
    for (const char* text : {"disk:avio_stor:0,2,0:ro:null:1048576", "disk:avio_stor:0,2,5:threads:null:1048576", "disk:scsi:0,3,1:threads:null:1048576", "dvd:scsi:0,3,2:null:/"}) {
      auto statement = parse_resource_statement(text);
      check(statement.ok(), text);
      config.storage.push_back(*statement);
    }
    auto board = make_board(config, {.clock = &clock_, .pace = nullptr, .interrupts = &processors_, .console = &console_, .on_soft_off = [] {}});
    check(board.ok(), "no board");
    board_ = std::move(*board);
    core_ = std::make_unique<cpu::Core>(cpu::CoreWires{.bus = &board_->bus(), .clock = &clock_, .itc_hz = board_->description().itc_hz});
    adapter_ = std::make_unique<GuestCpuAdapter>(*core_, 0);
    firmware_ = std::make_unique<firmware::Firmware>(board_->description(), board_->bus(), clock_, host_);
  }

  void power_on() {
    board_->reset(true);
    core_->drop_all_code();
    core_->reset();
    firmware_->power_on(*adapter_);
  }
  void visit(StateSections& state) {
    state.part("firmware", *firmware_);
    board_->visit_state(state);
    state.part("cpu-0", *core_);
  }
  std::vector<u8> save() {
    StateSections state;
    visit(state);
    return state.serialize();
  }
  /// What guests do to devices, so that there is something to save.
  void poke(Random& random) {
    static constexpr u64 kPlaces[] = {0xff5e0000, 0xfec00000, 0xfed00000, 0xfee00000};
    const auto regions = board_->bus().regions();
    for (u64 n = random.below(60); n; n--) {
      const auto& region = regions[random.below(regions.size())];
      const u64 at = (random.one_in(4) ? random.pick(kPlaces) : region.base + random.below(std::min<u64>(region.size_bytes, 0x2000))) & ~u64{7};
      u64 value = random.awkward();
      const unsigned size = 1u << random.below(4);
      if (random.one_in(3))
        (void)board_->bus().read(at, size, value);
      else
        (void)board_->bus().write(at, size, value);
    }
  }
  void run() { core_->run(2000); }

 private:
  StandingClock clock_;
  test::NoProcessors processors_;
  DeafConsole console_;
  QuietHost host_;
  std::unique_ptr<cpu::Core> core_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<GuestCpuAdapter> adapter_;
  std::unique_ptr<firmware::Firmware> firmware_;
};

bool one_line(const std::string& message) {
  return !message.empty() && std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c != 0x7f; });
}

/// Where sections begin, so that damage reaches the small ones too.
std::vector<size_t> places(const std::vector<u8>& file) {
  std::vector<size_t> out = {0};
  for (size_t at = 16; at + 12 <= file.size();) {
    out.push_back(at);
    at += 12 + load_le<u32>(&file[at]) + load_le<u64>(&file[at + 4]);
  }
  return out;
}

/// The first section of a device that is not the same. Firmware keeps its non-volatile variables, a processor and adapters their
/// counters, a target what outlives a reset.
std::string difference(const std::vector<u8>& a, const std::vector<u8>& b) {
  const auto at = places(a), other = places(b);
  if (at.size() != other.size()) return "other sections";
  for (size_t n = 1; n < at.size(); n++) {
    const std::string name(reinterpret_cast<const char*>(&a[at[n] + 12]), load_le<u32>(&a[at[n]]));
    const size_t end = n + 1 < at.size() ? at[n + 1] : a.size(), other_end = n + 1 < other.size() ? other[n + 1] : b.size();
    if (name == "firmware" || name == "cpu-0" || name.starts_with("target-") || name.starts_with("adapter-")) continue;
    if (end - at[n] != other_end - other[n] || std::memcmp(&a[at[n]], &b[other[n]], end - at[n]) != 0) return name;
  }
  return {};
}

std::vector<u8> damaged(Random& random, std::vector<u8> file) {
  const auto at = places(file);
  for (u64 n = 1 + random.below(8); n && !file.empty(); n--) {
    const size_t base = random.one_in(3) ? 0 : at[random.below(at.size())];
    const size_t place = std::min(file.size() - 1, base + random.below(random.one_in(3) ? file.size() : 600));
    switch (random.below(6)) {
      case 0: file[place] ^= static_cast<u8>(1u << random.below(8)); break;
      case 1: file[place] = static_cast<u8>(random.awkward()); break;
      case 2: {
        const u64 value = random.awkward();
        std::memcpy(&file[place], &value, std::min<size_t>(8, file.size() - place));
        break;
      }
      case 3: file[place] = 0xff; break;
      case 4:
        if (random.one_in(4)) file.resize(place);
        break;
      default:
        if (random.one_in(4)) file.insert(file.begin() + static_cast<std::ptrdiff_t>(place), static_cast<u8>(random.next()));
    }
  }
  return file;
}

void fuzz_state(Random& random) {
  static WholeMachine machine;
  static const std::vector<u8> fresh = [] {
    machine.power_on();
    return machine.save();
  }();
  machine.power_on();
  machine.poke(random);
  const auto good = machine.save();
  machine.power_on();
  auto same = StateSections::parse(good);
  check(same.ok(), "a good state is refused");
  machine.visit(*same);
  check(same->finish().ok(), "a good state does not load");
  check(machine.save() == good, "what was loaded is not what was saved");

  machine.power_on();
  auto bad = StateSections::parse(damaged(random, good));
  if (!bad) return check(one_line(bad.error().message), "a message of more than a line");
  machine.visit(*bad);
  if (const auto done = bad->finish(); !done) check(one_line(done.error().message), "a message of more than a line");
  machine.run();  // whoever loads it resets the machine after a failure; it holds together until then
  machine.poke(random);
  machine.power_on();
  if (const auto part = difference(machine.save(), fresh); !part.empty()) check(false, ("a reset leaves something of a damaged state: " + part).c_str());
}

SnapshotManifest some_manifest(Random& random) {
  SnapshotManifest m;
  m.name = "booted", m.created = "2026-11-22T07:31:00Z", m.board = "hpvm-1", m.guest = "g\"\\\xc3\xa4";
  m.memory_bytes = random.awkward(), m.processors = 1, m.processor_model = "montecito", m.virtual_ns = random.awkward();
  m.kernel = {"/k", "/i", "console=ttyS0"};
  m.adapters = {{0, 2, "avio_stor", ""}, {0, 3, "scsi", "avio_stor"}};
  m.media = {{"disk:avio_stor:0,2,0:overlay:file:/x", "overlay", "", 1 << 20, "0123456789abcdef", "overlay-0,2,0"},
             {"dvd:scsi:0,3,1:null:/isos", "empty", "null:/isos", 0, "", ""}};
  m.memory = {random.awkward(), 4096, "fedcba9876543210"};
  m.state_bytes = random.awkward(), m.state_checksum = "00";
  return m;
}

void fuzz_manifest(Random& random) {
  static constexpr char kBytes[] = "{}[]\",:0123456789-.eE\\ntu/\xff\0 ";
  const std::string good = to_text(some_manifest(random));
  const auto back = parse_manifest(good);
  check(back && to_text(*back) == good, "a good manifest is not read as it was written");
  std::string text = good;
  for (u64 n = 1 + random.below(5); n && !text.empty(); n--) {
    const size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0: text[at] = kBytes[random.below(sizeof kBytes - 1)]; break;
      case 1: text.erase(at, random.below(30)); break;
      case 2: text.insert(at, text.substr(random.below(text.size()), random.below(60))); break;
      default: text.insert(at, random.one_in(2) ? "../" : "99999999999999999999");
    }
  }
  const auto read = parse_manifest(text);
  if (!read) return check(one_line(read.error().message), "a message of more than a line");
  for (const SnapshotMedium& medium : read->media) check(medium.overlay.find('/') == std::string::npos, "an overlay outside of the snapshot");
  const std::string again = to_text(*read);
  const auto twice = parse_manifest(again);
  check(twice && to_text(*twice) == again, "a manifest changes each time it is read");
}

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  fuzz_state(random);
  for (unsigned n = 0; n < 20; n++) fuzz_manifest(random);
}

}  // namespace ia64::fuzz
