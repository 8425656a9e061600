// EFI services through the tables in guest memory, as a boot loader and an operating system use them.
#include "base/endian.h"
#include "fake_machine.h"
#include "firmware/efi/crc32.h"
#include "firmware/power_on.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::test;

namespace {

// Offsets of functions in the tables, counted from the specification's table definitions.
enum BootOffset : u64 {
  kRaiseTpl = 24,
  kRestoreTpl = 32,
  kAllocatePages = 40,
  kFreePages = 48,
  kGetMemoryMap = 56,
  kAllocatePool = 64,
  kFreePool = 72,
  kCreateEvent = 80,
  kSetTimer = 88,
  kWaitForEvent = 96,
  kSignalEvent = 104,
  kCloseEvent = 112,
  kCheckEvent = 120,
  kInstallProtocol = 128,
  kHandleProtocol = 152,
  kLocateHandle = 176,
  kLocateDevicePath = 184,
  kInstallTable = 192,
  kLoadImage = 200,
  kStartImage = 208,
  kExit = 216,
  kUnloadImage = 224,
  kExitBootServices = 232,
  kMonotonic = 240,
  kStall = 248,
  kWatchdog = 256,
  kOpenProtocol = 280,
  kProtocolsPerHandle = 304,
  kLocateHandleBuffer = 312,
  kLocateProtocol = 320,
  kInstallMultiple = 328,
  kUninstallMultiple = 336,
  kCrc32 = 344,
  kCopyMem = 352,
  kSetMem = 360,
};
enum RuntimeOffset : u64 {
  kGetTime = 24,
  kSetTime = 32,
  kGetWakeup = 40,
  kSetVirtualMap = 56,
  kConvertPointer = 64,
  kGetVariable = 72,
  kNextVariable = 80,
  kSetVariable = 88,
  kHighCount = 96,
  kReset = 104,
};

struct EfiFixture {
  FakeMachine m;
  FirmwareOptions options;
  VariableStore variables;
  std::unique_ptr<PowerOn> p;
  u64 scratch = 0x40'0000;  // guest memory that tests write to freely

  EfiFixture() {
    p = std::make_unique<PowerOn>(m.board, m.bus, m.clock, m.host, options, variables);
    m.cpu.gate = [this](GuestCpu& c, u64 imm) { return p->gate.on_break(c, imm); };
    m.cpu.r.gr_static[12] = 0x38'0000;
  }
  u64 system() const { return p->table.address(); }
  u64 boot_table() { return m.peek<u64>(system() + 96); }
  u64 runtime_table() { return m.peek<u64>(system() + 88); }
  u64 boot(u64 offset, std::vector<u64> args) {
    return m.cpu.call(m.peek<u64>(boot_table() + offset), std::move(args));
  }
  u64 runtime(u64 offset, std::vector<u64> args) {
    return m.cpu.call(m.peek<u64>(runtime_table() + offset), std::move(args));
  }
  /// Places a value or text and returns its address; addresses advance.
  template <class T>
  u64 put(const T& v) {
    const u64 at = scratch;
    m.poke(at, v);
    scratch += align_up(sizeof v, 16);
    return at;
  }
  u64 put16(std::u16string s) {
    const u64 at = scratch;
    m.bus.write_bytes(at, s.c_str(), 2 * s.size() + 2);
    scratch += align_up(2 * s.size() + 2, 16);
    return at;
  }
  u64 put_bytes(std::span<const u8> b) {
    const u64 at = scratch;
    m.bus.write_bytes(at, b.data(), b.size());
    scratch += align_up(b.size(), 16);
    return at;
  }
  bool crc_right(u64 table) {
    std::vector<u8> bytes(m.peek<u32>(table + 12));
    m.bus.read_bytes(table, bytes.data(), bytes.size());
    const u32 stored = load_le<u32>(&bytes[16]);
    store_le(&bytes[16], u32{0});
    return stored == crc32(bytes);
  }
  u64 map_key(std::vector<std::array<u64, 5>>* out = nullptr) {
    const u64 size = put(u64{16384}), key = put(u64{0}), bytes = put(u64{0}), version = put(u32{0});
    const u64 map = 0x60'0000;
    CHECK(boot(kGetMemoryMap, {size, map, key, bytes, version}) == efi::kSuccess);
    CHECK(m.peek<u64>(bytes) == 48);
    CHECK(m.peek<u32>(version) == 1);
    if (out)
      for (u64 at = map; at < map + m.peek<u64>(size); at += 48)
        out->push_back(m.peek<std::array<u64, 5>>(at));
    return m.peek<u64>(key);
  }
};

/// An application: entry descriptor at RVA 0x1010 whose code lies at RVA 0x1040. No sections, headers only.
std::vector<u8> tiny_program(u16 subsystem = 10) {
  std::vector<u8> f(0x1100);
  store_le(&f[0], u16{0x5a4d}), store_le(&f[0x3c], u32{0x80}), store_le(&f[0x80], u32{0x4550});
  store_le(&f[0x84], u16{0x200}), store_le(&f[0x86], u16{1}), store_le(&f[0x94], u16{240});
  const size_t o = 0x98, s = o + 240;
  store_le(&f[o], u16{0x20b}), store_le(&f[o + 16], u32{0x1010});
  store_le(&f[o + 56], u32{0x3000}), store_le(&f[o + 60], u32{0x400}), store_le(&f[o + 68], subsystem),
      store_le(&f[o + 108], u32{16});
  store_le(&f[o + 152], u32{0x1080}), store_le(&f[o + 156], u32{12});
  store_le(&f[s + 8], u32{0x100}), store_le(&f[s + 12], u32{0x1000}), store_le(&f[s + 16], u32{0x100}),
      store_le(&f[s + 20], u32{0x1000});
  store_le(&f[0x1010], u64{0x1040}), store_le(&f[0x1018], u64{0x2000});
  store_le(&f[0x1080], u32{0x1000}), store_le(&f[0x1084], u32{12}),
      store_le(&f[0x1088], u16{10 << 12 | 0x10}), store_le(&f[0x108a], u16{10 << 12 | 0x18});
  return f;
}

constexpr u64 kGuest = 0x10'0000;

}  // namespace

TEST_CASE_METHOD(EfiFixture, "the three tables carry their signatures, revision 1.10 and right CRCs") {
  CHECK(m.peek<u64>(system()) == 0x5453595320494249);
  CHECK(m.peek<u64>(boot_table()) == 0x56524553544f4f42);
  CHECK(m.peek<u64>(runtime_table()) == 0x56524553544e5552);
  CHECK(m.peek<u32>(system() + 8) == 0x1000a);
  CHECK(m.peek<u32>(system() + 12) == 120);
  CHECK(m.peek<u32>(boot_table() + 12) == 368);
  CHECK(m.peek<u32>(runtime_table() + 12) == 112);
  CHECK(crc_right(system()));
  CHECK(crc_right(boot_table()));
  CHECK(crc_right(runtime_table()));
  CHECK(m.peek<u64>(system() + 104) == 4);  // SAL, ACPI, SMBIOS, HCDP
}

TEST_CASE_METHOD(EfiFixture, "the memory map meets what operating systems demand") {
  std::vector<std::array<u64, 5>> map;
  (void)map_key(&map);
  unsigned pal = 0, ports = 0;
  u64 next = 0;
  for (const auto& d : map) {
    const u32 type = static_cast<u32>(d[0]);
    CHECK(d[1] >= next);
    next = d[1] + d[3] * 4096;
    if (type == 13) {
      pal++;
      CHECK(d[3] * 4096 == 0x40000);
      CHECK(d[1] % 0x40000 == 0);
      CHECK(d[1] >> 24 == (next - 1) >> 24);
      CHECK((d[4] & efi::kMemoryRuntime) != 0);
    } else if (type == 12) {
      ports++;
      CHECK(d[4] == (efi::kMemoryUc | efi::kMemoryRuntime));
      CHECK(d[3] == 16384);
    } else {
      CHECK((d[4] & efi::kMemoryWb) != 0);
      CHECK(((type == 5 || type == 6) == ((d[4] & efi::kMemoryRuntime) != 0)));
    }
  }
  CHECK(pal == 1);
  CHECK(ports == 1);
  CHECK(static_cast<u32>(map[0][0]) == 0);
  CHECK(map[0][3] == 1);
}

TEST_CASE_METHOD(EfiFixture, "a short buffer for the memory map is answered with the needed size") {
  const u64 size = put(u64{10});
  CHECK(boot(kGetMemoryMap, {size, 0x60'0000, 0, 0, 0}) == efi::kBufferTooSmall);
  CHECK(m.peek<u64>(size) % 48 == 0);
  CHECK(m.peek<u64>(size) > 48 * 5);
  CHECK(boot(kGetMemoryMap, {0, 0, 0, 0, 0}) == efi::kInvalidParameter);
}

TEST_CASE_METHOD(EfiFixture, "ExitBootServices wants the current key, then boot services are gone") {
  std::vector<std::string> order;
  const u64 event = put(u64{0});
  const u64 notify = m.cpu.define(kGuest, [&](FakeCpu&, const std::vector<u64>& a) {
    order.push_back("event " + std::to_string(a[1]));
    return u64{0};
  });
  CHECK(boot(kCreateEvent, {efi::kEventExitBootServices, 8, notify, 5, event}) == efi::kSuccess);
  p->efi.at_exit_boot_services([&] { order.push_back("hook"); });
  const u64 key = map_key();
  const u64 page = put(u64{0});
  CHECK(boot(kAllocatePages, {0, 2, 1, page}) == efi::kSuccess);
  const u64 image = p->images.firmware_image(), boot_services = boot_table();
  CHECK(boot(kExitBootServices, {image, key}) == efi::kInvalidParameter);
  CHECK(order.empty());
  CHECK(boot(kExitBootServices, {image, map_key()}) == efi::kSuccess);
  CHECK(order == std::vector<std::string>{"event 5", "hook"});
  CHECK(m.peek<u64>(system() + 96) == 0);
  CHECK(m.peek<u64>(system() + 48) == 0);
  CHECK(crc_right(system()));
  CHECK(m.cpu.call(m.peek<u64>(boot_services + kAllocatePool), {2, 8, page}) == efi::kUnsupported);
  const u64 time = put(std::array<u8, 16>{});
  CHECK(runtime(kGetTime, {time, 0}) == efi::kSuccess);
  CHECK(m.peek<u16>(time) == 2001);
}

TEST_CASE_METHOD(EfiFixture, "notifications run above the current level, highest first, never below") {
  std::string order;
  const auto note = [&](u64 at, char c) {
    return m.cpu.define(at, [&order, c](FakeCpu&, const std::vector<u64>&) { return order += c, u64{0}; });
  };
  const u64 low = put(u64{0}), high = put(u64{0});
  CHECK(boot(kCreateEvent, {efi::kEventNotifySignal, 8, note(kGuest, 'c'), 0, low}) == efi::kSuccess);
  CHECK(boot(kCreateEvent, {efi::kEventNotifySignal, 16, note(kGuest + 0x100, 'n'), 0, high}) ==
        efi::kSuccess);
  CHECK(boot(kRaiseTpl, {16}) == 4);
  CHECK(boot(kSignalEvent, {m.peek<u64>(low)}) == efi::kSuccess);
  CHECK(boot(kSignalEvent, {m.peek<u64>(high)}) == efi::kSuccess);
  CHECK(order.empty());
  (void)boot(kRestoreTpl, {8});
  CHECK(order == "n");
  (void)boot(kRestoreTpl, {4});
  CHECK(order == "nc");
  CHECK(boot(kSignalEvent, {0x1234}) == efi::kInvalidParameter);
  CHECK(boot(kCreateEvent, {efi::kEventNotifySignal, 4, kGuest, 0, low}) == efi::kInvalidParameter);
  CHECK(boot(kCreateEvent, {0x300, 8, kGuest, 0, low}) == efi::kInvalidParameter);
  CHECK(boot(kCheckEvent, {m.peek<u64>(high)}) == efi::kInvalidParameter);
}

TEST_CASE_METHOD(EfiFixture, "timers fire on time, once or again and again") {
  int ticks = 0;
  const u64 notify = m.cpu.define(kGuest, [&](FakeCpu&, const std::vector<u64>&) { return ticks++, u64{0}; });
  const u64 periodic = put(u64{0}), single = put(u64{0});
  REQUIRE(boot(kCreateEvent, {efi::kEventTimer | efi::kEventNotifySignal, 8, notify, 0, periodic}) ==
          efi::kSuccess);
  REQUIRE(boot(kCreateEvent, {efi::kEventTimer, 0, 0, 0, single}) == efi::kSuccess);
  CHECK(boot(kSetTimer, {m.peek<u64>(periodic), 1, 10'000}) == efi::kSuccess);  // every millisecond
  CHECK(boot(kStall, {5'500}) == efi::kSuccess);
  CHECK(ticks == 5);
  CHECK(boot(kSetTimer, {m.peek<u64>(periodic), 0, 0}) == efi::kSuccess);
  const u64 before = m.clock.now;
  CHECK(boot(kSetTimer, {m.peek<u64>(single), 2, 20'000}) == efi::kSuccess);
  CHECK(boot(kCheckEvent, {m.peek<u64>(single)}) == efi::kNotReady);
  const u64 index = put(u64{9});
  CHECK(boot(kWaitForEvent, {1, single, index}) == efi::kSuccess);
  CHECK(m.peek<u64>(index) == 0);
  CHECK(m.clock.now == before + 2'000'000);
  CHECK(boot(kCheckEvent, {m.peek<u64>(single)}) == efi::kNotReady);
  CHECK(boot(kSetTimer, {m.peek<u64>(single), 2, ~u64{0}}) == efi::kSuccess);
  CHECK(boot(kSetTimer, {m.peek<u64>(single), 3, 1}) == efi::kInvalidParameter);
}

TEST_CASE_METHOD(EfiFixture, "protocols of guests stand beside those of firmware") {
  const Guid mine{1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, other{9, 9, 9, {}};
  const u64 g = put(mine), g2 = put(other), handle = put(u64{0}), out = put(u64{0}), size = put(u64{8}),
            list = put(u64{0});
  CHECK(boot(kLocateProtocol, {g, 0, out}) == efi::kNotFound);
  CHECK(boot(kInstallProtocol, {handle, g, 0, 0xabc0}) == efi::kSuccess);
  CHECK(boot(kHandleProtocol, {m.peek<u64>(handle), g, out}) == efi::kSuccess);
  CHECK(m.peek<u64>(out) == 0xabc0);
  CHECK(boot(kHandleProtocol, {m.peek<u64>(handle), g2, out}) == efi::kUnsupported);
  CHECK(boot(kHandleProtocol, {0x99, g, out}) == efi::kInvalidParameter);
  CHECK(boot(kLocateHandle, {2, g, 0, size, list}) == efi::kSuccess);
  CHECK(m.peek<u64>(list) == m.peek<u64>(handle));
  m.poke(size, u64{0});
  CHECK(boot(kLocateHandle, {0, 0, 0, size, list}) == efi::kBufferTooSmall);
  CHECK(m.peek<u64>(size) > 8);
  SECTION("several at once, with arguments on the memory stack") {
    const u64 h = put(u64{0});
    std::vector<u64> args{h};
    std::vector<u64> guids;
    for (u16 n = 0; n < 6; n++)
      guids.push_back(put(Guid{100, n, 0, {}})), args.push_back(guids.back()), args.push_back(0x1000 + n);
    args.push_back(0);
    CHECK(boot(kInstallMultiple, args) == efi::kSuccess);
    CHECK(boot(kLocateProtocol, {guids[5], 0, out}) == efi::kSuccess);
    CHECK(m.peek<u64>(out) == 0x1005);
    const u64 buffer = put(u64{0}), count = put(u64{0});
    CHECK(boot(kProtocolsPerHandle, {m.peek<u64>(h), buffer, count}) == efi::kSuccess);
    CHECK(m.peek<u64>(count) == 6);
    CHECK(m.peek<Guid>(m.peek<u64>(m.peek<u64>(buffer) + 8 * 3)) == Guid{100, 3, 0, {}});
    CHECK(boot(kFreePool, {m.peek<u64>(buffer)}) == efi::kSuccess);
    args[0] = m.peek<u64>(h);
    CHECK(boot(kUninstallMultiple, args) == efi::kSuccess);
    CHECK(boot(kLocateProtocol, {guids[5], 0, out}) == efi::kNotFound);
  }
}

TEST_CASE_METHOD(EfiFixture, "memory operations copy overlapping ranges and count CRCs") {
  const u64 a = put(std::array<u8, 16>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(boot(kCopyMem, {a + 2, a, 6}) == efi::kSuccess);
  CHECK(m.peek<std::array<u8, 8>>(a) == std::array<u8, 8>{1, 2, 1, 2, 3, 4, 5, 6});
  CHECK(boot(kSetMem, {a, 3, 0x1ff}) == efi::kSuccess);
  CHECK(m.peek<std::array<u8, 4>>(a) == std::array<u8, 4>{0xff, 0xff, 0xff, 2});
  const u64 text = put(std::array<char, 9>{'1', '2', '3', '4', '5', '6', '7', '8', '9'}), crc = put(u32{0});
  CHECK(boot(kCrc32, {text, 9, crc}) == efi::kSuccess);
  CHECK(m.peek<u32>(crc) == 0xcbf43926);
}

TEST_CASE_METHOD(EfiFixture, "the console prints and reads through its protocols") {
  const u64 out = m.peek<u64>(system() + 64), in = m.peek<u64>(system() + 48);
  m.uart.output.clear();
  CHECK(m.cpu.call(m.peek<u64>(out + 8), {out, put16(u"h\u00e9llo\r\n")}) == efi::kSuccess);
  CHECK(m.uart.output == "h\xc3\xa9llo\r\n");
  const u64 mode = m.peek<u64>(out + 72);
  CHECK(m.peek<i32>(mode) == 1);
  CHECK(m.peek<i32>(mode + 12) == 0);
  CHECK(m.peek<i32>(mode + 16) == 1);
  const u64 key = put(u32{0});
  CHECK(m.cpu.call(m.peek<u64>(in + 8), {in, key}) == efi::kNotReady);
  const u64 index = put(u64{7}), events = put(m.peek<u64>(in + 16));
  m.cpu.on_idle = [&](u64) {
    m.uart.type("\x1b[A");
    m.cpu.on_idle = {};
  };
  CHECK(boot(kWaitForEvent, {1, events, index}) == efi::kSuccess);
  CHECK(m.cpu.call(m.peek<u64>(in + 8), {in, key}) == efi::kSuccess);
  CHECK(m.peek<u32>(key) == 1);
}

TEST_CASE_METHOD(EfiFixture, "an image is loaded from memory, started, and ends by return or by Exit") {
  const auto file = tiny_program();
  const u64 source = put_bytes(file), image = put(u64{0}), interface = put(u64{0}),
            loaded = put(guid::kLoadedImage);
  const u64 before = p->efi.memory.free_pages();
  REQUIRE(boot(kLoadImage, {0, p->images.firmware_image(), 0, source, file.size(), image}) == efi::kSuccess);
  const u64 handle = m.peek<u64>(image);
  REQUIRE(boot(kHandleProtocol, {handle, loaded, interface}) == efi::kSuccess);
  const u64 base = m.peek<u64>(m.peek<u64>(interface) + 64);
  CHECK(m.peek<u64>(m.peek<u64>(interface) + 72) == 0x3000);
  CHECK(p->efi.memory.find(base).type == MemoryType::LoaderCode);
  CHECK(m.peek<u64>(base + 0x1010) == base + 0x1040);
  const u64 exit_size = put(u64{0}), exit_data = put(u64{0});
  SECTION("by return") {
    m.cpu.define(base + 0x1040, [&](FakeCpu&, const std::vector<u64>& a) {
      CHECK(a[0] == handle);
      CHECK(a[1] == system());
      return u64{0x1234};
    });
    CHECK(boot(kStartImage, {handle, exit_size, exit_data}) == 0x1234);
  }
  SECTION("by Exit from a notification of its own") {
    bool after = false;
    m.cpu.define(base + 0x1040, [&](FakeCpu& c, const std::vector<u64>&) {
      const u64 notify = c.define(kGuest, [&](FakeCpu&, const std::vector<u64>&) {
        return boot(kExit, {handle, efi::kAborted, 16, 0x8000});
      });
      const u64 event = put(u64{0});
      CHECK(boot(kCreateEvent, {efi::kEventNotifySignal, 16, notify, 0, event}) == efi::kSuccess);
      (void)boot(kSignalEvent, {m.peek<u64>(event)});
      after = true;
      return u64{0};
    });
    CHECK(boot(kStartImage, {handle, exit_size, exit_data}) == efi::kAborted);
    CHECK(!after);
    CHECK(m.peek<u64>(exit_size) == 16);
    CHECK(m.peek<u64>(exit_data) == 0x8000);
    CHECK(p->efi.events.tpl() == efi::kTplApplication);
  }
  // An application leaves nothing behind but pool pages.
  CHECK(!p->efi.handles.exists(handle));
  CHECK(p->efi.memory.free_pages() + 16 >= before);
  CHECK(p->efi.memory.find(base).type == MemoryType::Conventional);
}

TEST_CASE_METHOD(EfiFixture, "bad images give load errors and leave no handle") {
  auto file = tiny_program();
  const u64 image = put(u64{0});
  const size_t handles = p->efi.handles.all().size();
  store_le(&file[0x84], u16{0x14c});
  CHECK(boot(kLoadImage, {0, p->images.firmware_image(), 0, put_bytes(file), file.size(), image}) ==
        efi::kUnsupported);
  file = tiny_program();
  store_le(&file[0x98 + 240 + 20], u32{0x7fffffff});
  CHECK(boot(kLoadImage, {0, p->images.firmware_image(), 0, put_bytes(file), file.size(), image}) ==
        efi::kLoadError);
  const u64 path = put_bytes(DevicePath().pci(1, 1).file("\\X.EFI").bytes());
  CHECK(boot(kLoadImage, {0, p->images.firmware_image(), path, 0, 0, image}) == efi::kNotFound);
  CHECK(boot(kStartImage, {0x99, 0, 0}) == efi::kInvalidParameter);
  CHECK(p->efi.handles.all().size() == handles);
}

TEST_CASE_METHOD(EfiFixture, "variables through the services, saved through the host at once") {
  const u64 name = put16(u"Test"), vendor = put(Guid{5, 5, 5, {}}), data = put(u64{0x1122334455667788}),
            size = put(u64{4}), attributes = put(u32{0}), out = put(u64{0});
  CHECK(runtime(kGetVariable, {name, vendor, attributes, size, out}) == efi::kNotFound);
  CHECK(runtime(kSetVariable, {name, vendor, 7, 8, data}) == efi::kSuccess);
  CHECK(m.host.saves == 1);
  CHECK(runtime(kGetVariable, {name, vendor, attributes, size, out}) == efi::kBufferTooSmall);
  CHECK(m.peek<u64>(size) == 8);
  CHECK(runtime(kGetVariable, {name, vendor, attributes, size, out}) == efi::kSuccess);
  CHECK(m.peek<u64>(out) == 0x1122334455667788);
  CHECK(m.peek<u32>(attributes) == 7);
  VariableStore reloaded;
  REQUIRE(reloaded.load(m.host.nvram));
  CHECK(reloaded.get({u"Test", {5, 5, 5, {}}}, true) != nullptr);
  m.host.refuse_save = true;
  CHECK(runtime(kSetVariable, {name, vendor, 7, 4, data}) == efi::kDeviceError);
}

TEST_CASE_METHOD(
    EfiFixture,
    "after SetVirtualAddressMap everything is reached through virtual pointers, also big-endian") {
  // FPSWA is what an OS keeps from boot time.
  const u64 fp = put(guid::kFpswa), fp_out = put(u64{0});
  REQUIRE(boot(kLocateProtocol, {fp, 0, fp_out}) == efi::kSuccess);
  const u64 fpswa = m.peek<u64>(fp_out);
  CHECK(m.peek<u32>(fpswa) == 0x10012);
  u64 changed = 0;
  const u64 pointer = put(system());
  const u64 convert = m.peek<u64>(runtime_table() + kConvertPointer);
  const u64 notify = m.cpu.define(kGuest, [&](FakeCpu& c, const std::vector<u64>&) {
    return changed = c.call(convert, {0, pointer}) + 1;
  });
  const u64 event = put(u64{0});
  REQUIRE(boot(kCreateEvent, {efi::kEventVirtualAddressChange, 8, notify, 0, event}) == efi::kSuccess);
  std::vector<std::array<u64, 5>> map;
  const u64 key = map_key(&map);
  REQUIRE(boot(kExitBootServices, {p->images.firmware_image(), key}) == efi::kSuccess);
  CHECK(runtime(kConvertPointer, {0, pointer}) == efi::kUnsupported);
  std::vector<u8> list;
  for (auto d : map) {
    if (!(d[4] & efi::kMemoryRuntime)) continue;
    d[2] = d[1] + kVirtualOffset;
    const auto* b = reinterpret_cast<const u8*>(d.data());
    list.insert(list.end(), b, b + 40);
    list.insert(list.end(), 8, 0);
  }
  const u64 list_at = put_bytes(list);
  CHECK(runtime(kSetVirtualMap, {list.size(), 48, 2, list_at}) == efi::kInvalidParameter);
  REQUIRE(runtime(kSetVirtualMap, {list.size(), 48, 1, list_at}) == efi::kSuccess);
  CHECK(changed == efi::kSuccess + 1);
  CHECK(m.peek<u64>(pointer) == system() + kVirtualOffset);
  CHECK(m.peek<u64>(system() + 88) == p->table.runtime_services() + kVirtualOffset);
  CHECK(crc_right(system()));
  CHECK(crc_right(p->table.runtime_services()));

  m.cpu.r.psr |= cpu::psr::kDt | cpu::psr::kIt | cpu::psr::kRt | cpu::psr::kBe;
  m.cpu.r.gr_static[12] += kVirtualOffset;
  const u64 runtime_virtual = m.peek<u64>(system() + 88);
  const auto call = [&](u64 offset, std::vector<u64> args) {
    return m.cpu.call(m.peek<u64>((runtime_virtual & ~kVirtualOffset) + offset), std::move(args));
  };
  const u64 time = put(std::array<u8, 16>{});
  m.cpu.unmapped_pages = {align_down(time + kVirtualOffset, 4096)};
  CHECK(call(kGetTime, {time + kVirtualOffset, 0}) == efi::kSuccess);
  CHECK(m.cpu.touches == 1);
  CHECK(m.peek<u16>(time) == 2001);
  CHECK(m.peek<u64>(fpswa + 8) >> 61 == 7);
  CHECK(m.cpu.call(m.peek<u64>(fpswa + 8), {1, 0, 0, 0, time + kVirtualOffset, 0, 0, 0}) == 1);
  CHECK(call(kSetVirtualMap, {list.size(), 48, 1, list_at + kVirtualOffset}) == efi::kUnsupported);
  CHECK((call(kReset, {2, 0, 0, 0}), m.host.powered_off) == 1);
  CHECK(m.cpu.stopped);
}

TEST_CASE_METHOD(EfiFixture, "time can be set within the calendar") {
  const u64 time = put(EfiTime{2024, 2, 29, 12, 30, 15, 0, 0, 60, 1, 0}),
            capabilities = put(std::array<u8, 16>{});
  CHECK(runtime(kSetTime, {time}) == efi::kSuccess);
  CHECK(m.host.seconds == 1709209815);
  const u64 out = put(EfiTime{});
  CHECK(runtime(kGetTime, {out, capabilities}) == efi::kSuccess);
  CHECK(m.peek<EfiTime>(out).minute == 30);
  CHECK(m.peek<EfiTime>(out).time_zone == 60);
  m.poke(time, EfiTime{2023, 2, 29, 12, 30, 15, 0, 0, 0, 0, 0});
  CHECK(runtime(kSetTime, {time}) == efi::kInvalidParameter);
  CHECK(runtime(kGetTime, {0, 0}) == efi::kInvalidParameter);
}

TEST_CASE_METHOD(EfiFixture, "an unexpected interruption prints the registers and stops") {
  m.cpu.r.iip = 0xdead0;
  m.cpu.r.ip = p->layout.vectors() + 0x800;
  m.cpu.r.psr = 0;
  CHECK(p->gate.on_break(m.cpu, gate_imm::kVectors + 2).action == GateAction::Stop);
  CHECK(m.uart.output.find("Data TLB interruption") != std::string::npos);
  CHECK(m.uart.output.find("00000000000dead0") != std::string::npos);
  CHECK(m.host.crash.find("Data TLB") != std::string::npos);
}

TEST_CASE_METHOD(
    EfiFixture,
    "a secondary processor leaves the rendezvous only for the wake-up vector and a registered entry") {
  FakeCpu ap(m.bus, m.clock);
  ap.number = 1;
  ap.r.ip = p->gate.core_address(core_stub::kApVector);
  ap.r.gr_static[16] = 0xff;
  CHECK(p->gate.on_break(ap, gate_imm::kApVector).action == GateAction::Continue);
  p->sal.os_entry(Sal::kBootRendezvous) = {0x77'0000, 0x99, 0};
  ap.r.gr_static[16] = 0x30;
  CHECK(p->gate.on_break(ap, gate_imm::kApVector).action == GateAction::Continue);
  ap.r.gr_static[16] = 0xff;
  CHECK(p->gate.on_break(ap, gate_imm::kApVector).action == GateAction::Resume);
  CHECK(ap.r.ip == 0x77'0000);
  CHECK(ap.r.gr_static[1] == 0x99);
  CHECK(p->gate.on_break(ap, gate_imm::kApWait).action == GateAction::NotMine);  // not where that stub lies
  ap.r.ip = p->gate.core_address(core_stub::kApWait);
  CHECK(p->gate.on_break(ap, gate_imm::kApWait).action == GateAction::Continue);
  CHECK(ap.halts == 1);
}

namespace {

struct BootFixture {
  FakeMachine m;
  std::unique_ptr<Firmware> firmware;
  void start(FirmwareOptions options) {
    firmware = std::make_unique<Firmware>(m.board, m.bus, m.clock, m.host, std::move(options));
    firmware->power_on(m.cpu);
    m.cpu.gate = [this](GuestCpu& c, u64 imm) { return firmware->on_break(c, imm); };
  }
};

}  // namespace

TEST_CASE_METHOD(BootFixture, "with nothing to boot the menu says so and stays usable") {
  start({.direct_boot = {}, .boot_timeout_s = 3});
  u64 idles = 0;
  m.cpu.on_idle = [&](u64) {
    // After the countdown: maintenance menu, up twice from the top to Cold Reset.
    if (++idles == 2000) m.uart.type("\r");
    if (idles == 2100) m.uart.type("\x1b[A\x1b[A\r");
    if (idles > 100000) m.cpu.stopped = true;
  };
  m.cpu.run_until(0);
  CHECK(m.uart.output.find("EFI Boot Manager ver 1.10 [14.62]") != std::string::npos);
  CHECK(m.uart.output.find("will be booted in   3 seconds") != std::string::npos);
  CHECK(m.uart.output.find("will be booted in   1 seconds") != std::string::npos);
  CHECK(m.uart.output.find("No bootable device") != std::string::npos);
  CHECK(m.uart.output.find("Cold Reset") != std::string::npos);
  CHECK(m.host.resets == 1);
  CHECK(m.cpu.stopped);
  CHECK(idles < 100000);
}

TEST_CASE_METHOD(BootFixture, "a damaged NVRAM image is reported and replaced by an empty one") {
  m.host.nvram = {1, 2, 3};
  start({.direct_boot = {}, .boot_timeout_s = 1000});
  CHECK(m.host.rejected.find("NVRAM") != std::string::npos);
  u64 idles = 0;
  m.cpu.on_idle = [&](u64) { m.cpu.stopped = ++idles > 10; };
  m.cpu.run_until(0);
  VariableStore v;
  REQUIRE(v.load(m.host.nvram));
  CHECK(v.get({u"Timeout", guid::kGlobalVariable}, true) != nullptr);
}

TEST_CASE_METHOD(BootFixture, "a kernel is started directly with its parameters") {
  std::vector<u8> f(0x200);
  std::copy_n("\177ELF\2\1\1", 7, f.begin());
  store_le(&f[16], u16{2}), store_le(&f[18], u16{50});
  store_le(&f[24], u64{0x200'0010}), store_le(&f[32], u64{64}), store_le(&f[54], u16{56}),
      store_le(&f[56], u16{1});
  store_le(&f[64], u32{1}), store_le(&f[72], u64{0x100}), store_le(&f[80], u64{0x200'0000}),
      store_le(&f[88], u64{0x200'0000}), store_le(&f[96], u64{0x80}), store_le(&f[104], u64{0x20000});
  f[0x110] = 0x55;
  start({.direct_boot = DirectBoot{f, {9, 8, 7}, "console=ttyS0"}, .boot_timeout_s = {}});
  u64 parameters = 0;
  m.cpu.define(0x2000000, [](FakeCpu&, const std::vector<u64>&) { return u64{0}; });
  m.cpu.define(0x200'0010, [&](FakeCpu& c, const std::vector<u64>&) {
    parameters = c.r.gr_static[28];
    c.stopped = true;
    return u64{0};
  });
  m.cpu.run_until(0);
  REQUIRE(parameters != 0);
  char line[14];
  m.bus.read_bytes(m.peek<u64>(parameters), line, 14);
  CHECK(std::string(line) == "console=ttyS0");
  CHECK(m.peek<u64>(parameters + 72) == 3);
  CHECK(m.peek<u8>(m.peek<u64>(parameters + 64)) == 9);
  CHECK(m.peek<u64>(m.peek<u64>(parameters + 8)) == 0x5453595320494249);
  CHECK(m.peek<u64>(parameters + 24) % 48 == 0);
  CHECK(m.peek<u64>(m.peek<u64>(parameters + 8) + 96) == 0);  // boot services are over
  CHECK(m.peek<u32>(m.peek<u64>(parameters + 56)) == 0x10012);
}
