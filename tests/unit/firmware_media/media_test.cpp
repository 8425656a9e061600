// Boot media end to end: either SCSI adapter with a disk behind it, partitions, FAT, and the protocols a loader
// calls.
#include "firmware/media/media.h"

#include <chrono>
#include <thread>

#include "base/endian.h"
#include "devices/mpt/mpt.h"
#include "devices/pci/pci_host.h"
#include "devices/virtio/virtio_scsi.h"
#include "firmware/efi/guid.h"
#include "firmware/media/pci_enumeration.h"
#include "storage/scsi/disk_target.h"
#include "storage/store_registry.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/support/test.h"
#include "tests/unit/firmware_media/memory_medium.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::testing;

namespace {

constexpr u64 kRamBytes = 64 << 20;

class FakeClock final : public Clock {
 public:
  u64 now_ns() const override { return 0; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

class FakeHost final : public FirmwareHost {
 public:
  void power_off() override {}
  void reset(bool) override {}
  void wall_clock(i64& s, u32& ns) override { s = 1'600'000'000, ns = 0; }
  void set_wall_clock(i64) override {}
  std::vector<u8> load_nvram() override { return {}; }
  bool save_nvram(const std::vector<u8>&) override { return true; }
};

/// Services by the number that stands for their descriptor.
class Services final : public ServiceTable {
 public:
  GuestPhys add(std::string, StubKind, Service service) override {
    services.push_back(std::move(service));
    return 0x1000 + services.size();
  }
  GuestPhys entry_of(GuestPhys descriptor) const override { return descriptor; }
  std::vector<Service> services;
};

class FakeCpu final : public GuestCpu {
 public:
  unsigned index() const override { return 0; }
  cpu::Registers& regs() override { return registers; }
  bool translate(u64 va, bool, GuestPhys& phys) override { return phys = va, !unmapped; }
  void push_frame(unsigned) override {}
  void flush_code() override {}
  void halt() override {}
  u64 itc() override { return 0; }
  bool read_tr(bool, unsigned, u64[4], u64&) override { return false; }
  cpu::Registers registers;
  bool unmapped = false;
};

class FakeCall final : public GateCall {
 public:
  FakeCall(FakeCpu& cpu, AddressSpace& bus, std::vector<u64> args)
      : cpu_(cpu), bus_(bus), args_(std::move(args)) {}
  GuestCpu& cpu() override { return cpu_; }
  u64 arg(unsigned n) override { return n < args_.size() ? args_[n] : 0; }
  void ret(u64 r8) override { result = r8; }
  void ret(u64 r8, u64, u64, u64) override { result = r8; }
  bool read(u64 va, void* out, size_t n) override { return bus_.read_bytes(va, out, n) == AccessResult::Ok; }
  bool write(u64 va, const void* in, size_t n) override {
    return bus_.write_bytes(va, in, n) == AccessResult::Ok;
  }
  u64 call_guest(u64, std::span<const u64>) override { return 0; }
  void wait_until(u64) override {}
  [[noreturn]] void leave() override { throw std::runtime_error("leave"); }
  [[noreturn]] void stop() override { throw std::runtime_error("stop"); }
  u64 result = 0;

 private:
  FakeCpu& cpu_;
  AddressSpace& bus_;
  std::vector<u64> args_;
};

BoardDescription board_with_pci() {
  BoardDescription b;
  b.ram = {{0, kRamBytes}};
  b.cpus = {{0, 0}};
  b.pci_config_base = devices::pci::PciHost::kConfigBase;
  for (u8 bus = 0; bus < 8; bus++) {
    const auto w = devices::pci::PciHost::windows(bus);
    b.pci_roots.push_back({bus,
                           {w.memory_base, w.memory_bytes},
                           static_cast<u32>(w.port_base),
                           static_cast<u32>(w.port_count)});
    for (u8 slot = 0; slot < 8; slot++) b.pci_routes.push_back({bus, slot, 0, 16u + bus * 8u + slot});
  }
  return b;
}

enum class AdapterKind { Avio, Vio };

/// A machine with one adapter at bus 1 slot 2 and a disk file as target 5.
struct Rig {
  explicit Rig(const std::string& disk_file, AdapterKind kind = AdapterKind::Avio)
      : Rig(std::move(*storage::open_store("file:" + disk_file)), kind) {}
  explicit Rig(std::unique_ptr<storage::BlockStore> store, AdapterKind kind = AdapterKind::Avio) {
    bus.add_ram(0, ram.size(), ram.data(), "ram");
    auto disk = std::make_unique<storage::scsi::DiskTarget>(
        std::make_unique<storage::BlockDevice>(std::move(store)), storage::scsi::DiskIdentity{.serial = "1"});
    if (kind == AdapterKind::Vio) {
      host.plug(1, 2, vio);
      vio.attach(5, std::move(disk));
    } else {
      host.plug(1, 2, avio);
      avio.attach(5, std::move(disk));
    }
    efi.memory.declare(0x10'0000, (kRamBytes - 0x10'0000) / efi::kPageSize, MemoryType::Conventional, 8);
  }
  template <class T>
  T peek(GuestPhys at) {
    T v{};
    bus.read_bytes(at, &v, sizeof v);
    return v;
  }
  u64 call(u64 descriptor, std::vector<u64> args) {
    FakeCall c(cpu, bus, std::move(args));
    services.services.at(descriptor - 0x1001)(c);
    return c.result;
  }
  /// Calls function `n` of an interface whose functions start behind `offset` bytes.
  u64 method(u64 interface, unsigned n, std::vector<u64> more, unsigned offset = 8) {
    more.insert(more.begin(), interface);
    return call(peek<u64>(interface + offset + 8 * n), more);
  }
  u64 interface(EfiHandle h, const Guid& g) { return efi.handles.find(h, g).value(); }
  GuestPhys text(std::u16string_view s) {
    bus.write_bytes(0x9000, s.data(), 2 * s.size());
    bus.write(0x9000 + 2 * s.size(), 2, 0);
    return 0x9000;
  }
  GuestPhys place(const void* p, size_t n, GuestPhys at) { return bus.write_bytes(at, p, n), at; }

  std::vector<u8> ram = std::vector<u8>(kRamBytes);
  AddressSpace bus, ports;
  NullIrqLine line;
  devices::virtio::VirtioScsi avio{{.request_queues = 1}, line, bus};
  devices::mpt::Mpt vio{line, bus};
  devices::pci::PciHost host{bus, ports};
  BoardDescription board = board_with_pci();
  FakeClock clock;
  FakeHost firmware_host;
  Services services;
  FakeCpu cpu;
  EfiContext efi{board, bus, clock, firmware_host, services};
  /// The disk file's host may take seconds for a flush while other tests write: waits as long as the product would.
  bool patient = true;
  Media media{efi, [this](u64 spins) {
                if (spins % 64 == 0) std::this_thread::yield();
                if (patient && spins > 10'000) std::this_thread::sleep_for(std::chrono::microseconds(50));
              }};
};

// File protocol functions in order.
enum : unsigned {
  kOpen,
  kClose,
  kDelete,
  kRead,
  kWrite,
  kGetPosition,
  kSetPosition,
  kGetInfo,
  kSetInfo,
  kFlush
};
constexpr u64 kCreateMode = bit(63) | 3;
constexpr GuestPhys kBuffer = 0x20'0000, kSize = 0x8000, kResult = 0x8008, kGuid = 0x8010;

bool make_disk(TemporaryFolder& t, const std::vector<u8>& loader) {
  t.store("loader", loader);
  return t.run(
             "truncate -s 40M disk && sgdisk -n 1:2048:+32M -t 1:EF00 -u "
             "1:11111111-2222-3333-4444-555555555555 -n 2:0:0 -t 2:8300 disk && "
             "truncate -s 32M esp && mkfs.fat -F 16 esp && mmd -i esp ::/EFI ::/EFI/BOOT && mcopy -i esp "
             "loader ::/EFI/BOOT/BOOTIA64.EFI && "
             "dd if=esp of=disk bs=1M seek=1 conv=notrunc") == 0;
}

#define NEED_TOOLS()                                                         \
  if (!have_tool("sgdisk") || !have_tool("mcopy") || !have_tool("mkfs.fat")) \
  SKIP_TEST("gdisk, mtools or dosfstools not installed")

}  // namespace

TEST_CASE("media: PCI functions get addresses inside their root's windows", "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(make_disk(t, {1}));
  Rig r(t.file("disk"));
  const auto functions = assign_pci_resources(r.board, r.bus);
  REQUIRE(functions.size() == 1);
  CHECK(functions[0].vendor_id == 0x1af4);
  const MemoryRange window = r.board.pci_roots[1].mmio;
  unsigned bars = 0;
  for (const auto& b : functions[0].bars)
    if (b.size_bytes) {
      bars++;
      CHECK(b.base % b.size_bytes == 0);
      CHECK(b.base >= window.base);
      CHECK(b.base + b.size_bytes <= window.base + window.size_bytes);
    }
  CHECK(bars >= 1);
  PciConfig c(r.bus, r.board, functions[0]);
  CHECK((c.read(4, 2) & 7) == 2);  // memory on, no ports, not a master yet
  CHECK(c.read(0x3c, 1) == 16 + 8 + 2);
}

TEST_CASE("media: disks and partitions appear with their device paths", "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(make_disk(t, {1}));
  Rig r(t.file("disk"));
  r.media.connect();
  REQUIRE(r.media.disks().size() == 1);
  const auto block = r.efi.handles.with(guid::kBlockIo);
  REQUIRE(block.size() == 3);
  CHECK(r.efi.handles.with(guid::kDiskIo).size() == 3);
  REQUIRE(r.efi.handles.with(guid::kSimpleFileSystem).size() == 1);
  CHECK(r.efi.handles.with(guid::kSimpleFileSystem)[0] == block[1]);
  std::vector<u8> raw(256);
  r.bus.read_bytes(r.interface(block[1], guid::kDevicePath), raw.data(), raw.size());
  const auto path = DevicePath::parse(raw);
  REQUIRE(path);
  DevicePath expected, rest;
  expected.acpi(DevicePath::kPnp0a03, 1).pci(2, 0).scsi(5, 0);
  CHECK(expected.is_prefix_of(*path, rest));
  CHECK(rest.starts_with_hard_drive());
  // The HD node: partition number, start, size, GUID in memory order, GPT, GUID signature. @source
  // EFI 1.10, 8.3.5.1
  CHECK(load_le<u32>(&rest.nodes()[4]) == 1);
  CHECK(load_le<u64>(&rest.nodes()[8]) == 2048);
  CHECK(load_le<u64>(&rest.nodes()[16]) == 65536);
  CHECK(load_le<u32>(&rest.nodes()[24]) == 0x11111111);
  CHECK(rest.nodes()[40] == 2);
  CHECK(rest.nodes()[41] == 2);
}

TEST_CASE("media: a VIO adapter is found in whatever state it was left", "[media]") {
  const auto left = GENERATE(0, 1, 2, 3);
  Rig r(std::make_unique<storage::MemoryStore>(u64{1} << 20), AdapterKind::Vio);
  constexpr GuestPhys kConfig = devices::pci::PciHost::kConfigBase + (1 << 20) + (2 << 15), kBar = 0x8c00'0000;
  r.bus.write(kConfig + 0x14, 4, kBar);
  r.bus.write(kConfig + 4, 2, 6);
  if (left == 1) r.bus.write(kBar, 4, 0x4203'0000);  // in the middle of a handshake
  if (left == 2) {                                   // operational, with a driver's queues
    for (u32 word : {0x4206'0000u, 0x0200'0004u, 0u, 0u, 0x80u, 0u, 0u}) r.bus.write(kBar, 4, word);
  }
  if (left == 3) {  // told not to boot
    for (u32 key : {4u, 0xbu, 2u, 7u, 0xdu}) r.bus.write(kBar + 4, 4, key);
    r.bus.write(kBar + 8, 4, 0x204);
  }
  r.media.connect();
  REQUIRE(r.media.disks().size() == 1);
  const u64 bio = r.interface(r.media.disks()[0], guid::kBlockIo);
  CHECK(r.peek<u64>(r.peek<u64>(bio + 8) + 24) == (1 << 20) / 512 - 1);
}

TEST_CASE("media: Block I/O and Disk I/O read and write what the disk holds", "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(make_disk(t, pattern(3'000'000, 5)));
  const auto kind = GENERATE(AdapterKind::Avio, AdapterKind::Vio);
  Rig r(t.file("disk"), kind);
  r.media.connect();
  const auto image = t.load("disk");
  const EfiHandle disk = r.media.disks()[0];
  const u64 bio = r.interface(disk, guid::kBlockIo), dio = r.interface(disk, guid::kDiskIo);
  const u64 media = r.peek<u64>(bio + 8);
  CHECK(r.peek<u64>(bio) == 0x10000);
  CHECK(r.peek<u32>(media + 12) == 512);
  CHECK(r.peek<u64>(media + 24) == image.size() / 512 - 1);
  const u64 id = r.peek<u32>(media);
  const auto buffer = [&](size_t n) {
    std::vector<u8> v(n);
    r.bus.read_bytes(kBuffer, v.data(), n);
    return v;
  };
  // 5 MiB in one call, at an odd address: several commands, several segments.
  CHECK(r.method(bio, 1, {id, 2048, 5 << 20, kBuffer}, 16) == efi::kSuccess);
  CHECK(buffer(5 << 20) == std::vector<u8>(image.begin() + (1 << 20), image.begin() + (6 << 20)));
  CHECK(r.method(bio, 1, {id, 1, 512, kBuffer + 3}, 16) == efi::kSuccess);
  CHECK(r.peek<u64>(kBuffer + 3) == 0x5452415020494645);  // "EFI PART"
  CHECK(r.method(dio, 0, {id, 1'048'576 + 777, 70'001, kBuffer}) == efi::kSuccess);
  CHECK(buffer(70'001) ==
        std::vector<u8>(image.begin() + 1'048'576 + 777, image.begin() + 1'048'576 + 777 + 70'001));
  r.cpu.unmapped = true;  // no physical run known: through a copy
  CHECK(r.method(dio, 0, {id, 513, 5000, kBuffer}) == efi::kSuccess);
  CHECK(buffer(5000) == std::vector<u8>(image.begin() + 513, image.begin() + 5513));
  r.cpu.unmapped = false;

  CHECK(r.method(bio, 1, {id, 0, 100, kBuffer}, 16) == efi::kBadBufferSize);
  CHECK(r.method(bio, 1, {id, image.size() / 512, 512, kBuffer}, 16) == efi::kInvalidParameter);
  CHECK(r.method(bio, 1, {id, image.size() / 512 - 1, 1024, kBuffer}, 16) == efi::kInvalidParameter);
  CHECK(r.method(bio, 1, {id, ~u64{0}, 512, kBuffer}, 16) == efi::kInvalidParameter);
  CHECK(r.method(bio, 1, {id + 1, 0, 512, kBuffer}, 16) == efi::kMediaChanged);
  CHECK(r.method(dio, 0, {id, ~u64{0} - 5, 100, kBuffer}) == efi::kInvalidParameter);

  const auto data = pattern(10'000, 77);
  r.bus.write_bytes(kBuffer, data.data(), data.size());
  CHECK(r.method(dio, 1, {id, 38'000'123, data.size(), kBuffer}) == efi::kSuccess);
  CHECK(r.method(bio, 3, {}, 16) == efi::kSuccess);
  const auto changed = t.load("disk");
  CHECK(std::vector<u8>(changed.begin() + 38'000'123, changed.begin() + 38'010'123) == data);
  CHECK(changed[38'000'122] == image[38'000'122]);
  CHECK(changed[38'010'123] == image[38'010'123]);
}

TEST_CASE("media: files are read, listed, written, renamed and deleted through the File protocol",
          "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  const auto loader = pattern(3'000'000, 5);
  REQUIRE(make_disk(t, loader));
  Rig r(t.file("disk"));
  r.media.connect();
  const u64 fs = r.interface(r.efi.handles.with(guid::kSimpleFileSystem)[0], guid::kSimpleFileSystem);
  REQUIRE(r.method(fs, 0, {kResult}) == efi::kSuccess);
  const u64 root = r.peek<u64>(kResult);
  REQUIRE(r.method(root, kOpen, {kResult, r.text(u"\\EFI\\BOOT\\bootia64.efi"), 1, 0}) == efi::kSuccess);
  const u64 file = r.peek<u64>(kResult);

  r.bus.write(kSize, 8, 10'000'000);
  CHECK(r.method(file, kRead, {kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.peek<u64>(kSize) == loader.size());
  std::vector<u8> got(loader.size());
  r.bus.read_bytes(kBuffer, got.data(), got.size());
  CHECK(got == loader);
  CHECK(r.method(file, kRead, {kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.peek<u64>(kSize) == 0);  // at the end
  CHECK(r.method(file, kWrite, {kSize, kBuffer}) == efi::kAccessDenied);

  r.place(&guid::kFileInfo, 16, kGuid);
  r.bus.write(kSize, 8, 4);
  CHECK(r.method(file, kGetInfo, {kGuid, kSize, kBuffer}) == efi::kBufferTooSmall);
  CHECK(r.peek<u64>(kSize) == 80 + 2 * 13);
  CHECK(r.method(file, kGetInfo, {kGuid, kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.peek<u64>(kBuffer + 8) == loader.size());
  CHECK(r.peek<u16>(kBuffer + 80) == 'B');
  CHECK(r.method(file, kClose, {}) == efi::kSuccess);
  CHECK(r.method(root, kOpen, {kResult, r.text(u"nothing"), 1, 0}) == efi::kNotFound);
  CHECK(r.method(root, kOpen, {kResult, r.text(u"x"), 2, 0}) == efi::kInvalidParameter);

  // Create, write twice, seek, rename, shrink.
  REQUIRE(r.method(root, kOpen, {kResult, r.text(u"\\EFI\\A new file"), kCreateMode, 0}) == efi::kSuccess);
  const u64 fresh = r.peek<u64>(kResult);
  const auto data = pattern(20'000, 3);
  r.place(data.data(), data.size(), kBuffer);
  r.bus.write(kSize, 8, data.size());
  CHECK(r.method(fresh, kWrite, {kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.method(fresh, kSetPosition, {100}) == efi::kSuccess);
  r.bus.write(kSize, 8, 5);
  CHECK(r.method(fresh, kWrite, {kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.method(fresh, kGetPosition, {kResult}) == efi::kSuccess);
  CHECK(r.peek<u64>(kResult) == 105);
  r.bus.write(kSize, 8, 1000);
  CHECK(r.method(fresh, kGetInfo, {kGuid, kSize, kBuffer}) == efi::kSuccess);
  r.bus.write(kBuffer + 8, 8, 15'000);
  r.bus.write(kBuffer + 72, 8, 2);  // hidden
  const std::u16string renamed(u"renamed.bin\0", 12);
  r.place(renamed.data(), 2 * renamed.size(), kBuffer + 80);
  CHECK(r.method(fresh, kSetInfo, {kGuid, 80 + 2 * renamed.size(), kBuffer}) == efi::kSuccess);
  CHECK(r.method(fresh, kFlush, {}) == efi::kSuccess);
  CHECK(r.method(fresh, kClose, {}) == efi::kSuccess);

  // A directory listing, entry by entry.
  REQUIRE(r.method(root, kOpen, {kResult, r.text(u"EFI"), 1, 0}) == efi::kSuccess);
  const u64 directory = r.peek<u64>(kResult);
  std::vector<std::u16string> names;
  for (;;) {
    r.bus.write(kSize, 8, 1000);
    REQUIRE(r.method(directory, kRead, {kSize, kBuffer}) == efi::kSuccess);
    if (r.peek<u64>(kSize) == 0) break;
    std::u16string name;
    for (GuestPhys at = kBuffer + 80; const u16 c = r.peek<u16>(at); at += 2) name.push_back(c);
    names.push_back(name);
  }
  CHECK(names == std::vector<std::u16string>{u".", u"..", u"BOOT", u"renamed.bin"});

  r.place(&guid::kFileSystemInfo, 16, kGuid);
  r.bus.write(kSize, 8, 1000);
  CHECK(r.method(root, kGetInfo, {kGuid, kSize, kBuffer}) == efi::kSuccess);
  CHECK(r.peek<u64>(kBuffer + 24) < r.peek<u64>(kBuffer + 16));
  CHECK(r.peek<u64>(kBuffer + 24) > 20'000'000);

  REQUIRE(r.method(root, kOpen, {kResult, r.text(u"\\EFI\\BOOT"), 3, 0}) == efi::kSuccess);
  CHECK(r.method(r.peek<u64>(kResult), kDelete, {}) == efi::kWarnDeleteFailure);  // not empty
  CHECK(r.method(root, 5, {kResult}) == efi::kUnsupported);
  CHECK(r.call(r.peek<u64>(root + 8), {0xdead, kResult, 0x9000, 1, 0}) == efi::kInvalidParameter);

  REQUIRE(t.run("dd if=disk of=esp2 bs=1M skip=1 count=32 && fsck.fat -n esp2 && mcopy -n -i esp2 "
                "::/EFI/renamed.bin out") == 0);
  auto expected = data;
  std::copy_n(data.begin(), 5, expected.begin() + 100);
  expected.resize(15'000);
  CHECK(t.load("out") == expected);
}

TEST_CASE("media: raw writes under a mounted volume are noticed", "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(make_disk(t, {1, 2, 3}));
  REQUIRE(t.run("cp esp esp2 && mcopy -i esp2 loader ::/added") == 0);
  Rig r(t.file("disk"));
  r.media.connect();
  const EfiHandle volume = r.efi.handles.with(guid::kSimpleFileSystem)[0];
  const u64 fs = r.interface(volume, guid::kSimpleFileSystem), bio = r.interface(volume, guid::kBlockIo);
  REQUIRE(r.method(fs, 0, {kResult}) == efi::kSuccess);
  const u64 root = r.peek<u64>(kResult);
  CHECK(r.method(root, kOpen, {kResult, r.text(u"added"), 1, 0}) == efi::kNotFound);
  const auto other = t.load("esp2");
  r.place(other.data(), 4 << 20, kBuffer);
  CHECK(r.method(bio, 2, {1, 0, 4 << 20, kBuffer}, 16) == efi::kSuccess);
  CHECK(r.method(root, kOpen, {kResult, r.text(u"added"), 1, 0}) == efi::kSuccess);
}

TEST_CASE("media: ExitBootServices silences the controller", "[media]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(make_disk(t, {1}));
  Rig r(t.file("disk"));
  r.media.connect();
  const u64 bio = r.interface(r.media.disks()[0], guid::kBlockIo);
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kSuccess);
  r.efi.run_exit_hooks();
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kDeviceError);
}

TEST_CASE("media: errors of the disk reach the caller", "[media]") {
  auto faulty =
      std::make_unique<storage::FaultInjectingStore>(std::make_unique<storage::MemoryStore>(u64{1} << 20));
  auto* fault = faulty.get();
  Rig r(std::move(faulty));
  r.media.connect();
  REQUIRE(r.media.disks().size() == 1);
  const u64 bio = r.interface(r.media.disks()[0], guid::kBlockIo);
  fault->add({storage::BlockOp::Read, storage::BlockStatus::Io});
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kDeviceError);
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kSuccess);
  fault->add({storage::BlockOp::Write, storage::BlockStatus::Io});
  CHECK(r.method(bio, 2, {1, 0, 512, kBuffer}, 16) == efi::kDeviceError);
}

TEST_CASE("media: a disk that never answers is given up", "[media]") {
  auto faulty =
      std::make_unique<storage::FaultInjectingStore>(std::make_unique<storage::MemoryStore>(u64{1} << 20));
  auto* fault = faulty.get();
  Rig r(std::move(faulty));
  r.media.connect();
  const u64 bio = r.interface(r.media.disks()[0], guid::kBlockIo);
  fault->hold();
  r.patient = false;
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kDeviceError);
  CHECK(r.method(bio, 1, {1, 0, 512, kBuffer}, 16) == efi::kDeviceError);  // at once
  fault->release();
}
