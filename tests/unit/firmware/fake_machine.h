// A processor that executes guest functions written as lambdas and follows the gate's stubs, with RAM, clock,
// host and UART.
#pragma once

#include <sys/mman.h>

#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/endian.h"
#include "firmware/call_gate.h"
#include "firmware/entry_state.h"

namespace ia64::firmware::test {

class FakeClock final : public Clock {
 public:
  u64 now = 0;
  u64 now_ns() const override { return now; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

class FakeHost final : public FirmwareHost {
 public:
  int powered_off = 0, resets = 0, saves = 0;
  bool refuse_save = false;
  i64 seconds = 1'000'000'000;
  std::vector<u8> nvram;
  std::string rejected, crash;
  void power_off() override { powered_off++; }
  void reset(bool) override { resets++; }
  void wall_clock(i64& s, u32& ns) override { s = seconds, ns = 7; }
  void set_wall_clock(i64 s) override { seconds = s; }
  std::vector<u8> load_nvram() override { return nvram; }
  bool save_nvram(const std::vector<u8>& image) override {
    saves++;
    if (!refuse_save) nvram = image;
    return !refuse_save;
  }
  void nvram_rejected(const std::string& why) override { rejected = why; }
  void firmware_crashed(const std::string& why) override { crash = why; }
};

/// A 16550 as far as polled firmware sees it.
class FakeUart final : public MmioRegion {
 public:
  std::string output;
  std::deque<u8> input;
  void type(std::string_view s) { input.insert(input.end(), s.begin(), s.end()); }
  AccessResult read(u64 offset, unsigned, u64& value) override {
    value = 0;
    if (offset == 5) value = 0x60 | !input.empty();
    if (offset == 0 && !input.empty()) value = input.front(), input.pop_front();
    return AccessResult::Ok;
  }
  AccessResult write(u64 offset, unsigned, u64 value) override {
    if (offset == 3) dlab_ = value & 0x80;
    if (offset == 0 && !dlab_) output += static_cast<char>(value);
    return AccessResult::Ok;
  }

 private:
  bool dlab_ = false;
};

inline constexpr u64 kRamBytes = u64{128} << 20;
inline constexpr u64 kVirtualOffset = 0xe000'0000'0000'0000;  // region 7, as Linux maps physical memory

inline BoardDescription test_board() {
  BoardDescription b;
  b.machine_name = "test-1";
  b.ram = {{0, kRamBytes}};
  b.cpus = {{0, 0}, {1, 0}};
  b.uarts = {{0xff5e'0000, 80, 1'843'200, 115'200}};
  b.io_sapics = {{0, 0xfec0'0000, 16, 80}};
  b.acpi_pm_base = 0xff5c'1000;
  b.sci_gsi = 81;
  b.pci_config_base = 0xf000'0000;
  return b;
}

/// Thrown through guest lambdas when Exit() throws their stack away.
struct Unwound {};

class FakeCpu final : public GuestCpu {
 public:
  using Guest = std::function<u64(FakeCpu&, const std::vector<u64>& args)>;
  std::function<GateResult(GuestCpu&, u64)> gate;
  AddressSpace& bus;
  FakeClock& clock;
  cpu::Registers r;
  unsigned number = 0;
  bool stopped = false;
  int halts = 0, touches = 0;
  std::vector<u64> unmapped_pages;  // virtual pages that miss until touched
  std::function<void(u64)> on_idle;

  FakeCpu(AddressSpace& b, FakeClock& c) : bus(b), clock(c) { r.psr = cpu::psr::kIc | cpu::psr::kBn; }

  unsigned index() const override { return number; }
  cpu::Registers& regs() override { return r; }
  bool translate(u64 va, bool, GuestPhys& phys) override {
    phys = va & low_mask(60) & ~kVirtualOffset;
    if (!(r.psr & cpu::psr::kDt)) return true;
    if (va >> 61 != 7) return false;
    for (const u64 page : unmapped_pages)
      if (page == align_down(va, 4096)) return false;
    return true;
  }
  void push_frame(unsigned sof) override {
    frames_.push_back(save_frame());
    r.pfs = r.cfm.pack();
    r.cfm = {};
    r.cfm.sof = static_cast<u8>(sof);
    for (unsigned n = 0; n < 96; n++) r.stack_gr[r.bof + n] = 0;
  }
  void flush_code() override {}
  void halt() override { halts++; }
  u64 itc() override { return clock.now; }
  bool read_tr(bool, unsigned, u64[4], u64&) override { return false; }

  /// Makes `fn` a guest function: returns the address of its descriptor (entry and descriptor lie in RAM at
  /// `at`).
  u64 define(u64 at, Guest fn) {
    functions_[at & low_mask(60)] = std::move(fn);
    const u64 descriptor[] = {at, 0x1234'5678};
    bus.write_bytes((at & low_mask(60) & ~kVirtualOffset) + 16, descriptor, sizeof descriptor);
    return at + 16;
  }

  /// Calls through a descriptor as guest code would: br.call with the arguments as outputs.
  u64 call(u64 descriptor, std::vector<u64> args) {
    u64 d[2];
    bus.read_bytes(descriptor & low_mask(60) & ~kVirtualOffset, d, sizeof d);
    return call_entry(d[0], std::move(args));
  }
  u64 call_entry(u64 entry, std::vector<u64> args) {
    const Frame frame = save_frame();
    const u64 b0 = r.br[0], ip = r.ip, pfs = r.pfs, sp = r.gr_static[12];
    r.pfs = r.cfm.pack();
    r.cfm = {};
    r.cfm.sof = static_cast<u8>(std::min<size_t>(args.size(), 8));
    // Arguments beyond eight lie on the memory stack.
    r.gr_static[12] = sp - 16 - 8 * 32;
    for (size_t n = 0; n < args.size(); n++) {
      if (n < 8)
        r.stack_gr[r.bof + n] = args[n];
      else
        bus.write_bytes((r.gr_static[12] & low_mask(60) & ~kVirtualOffset) + 16 + 8 * (n - 8), &args[n], 8);
    }
    const u64 magic = kMagic + 16 * depth_++;
    r.br[0] = magic;
    r.ip = entry, r.slot = 0;
    run_until(magic);
    depth_--;
    restore_frame(frame);
    r.br[0] = b0, r.ip = ip, r.pfs = pfs, r.gr_static[12] = sp;
    return r.gr_static[8];
  }

  void run_until(u64 stop) {
    while (!stopped && r.ip != stop) step();
  }

 private:
  static constexpr u64 kMagic = 0x7777'0000'0000;
  struct Frame {
    cpu::Cfm cfm;
    u64 gr[96];
  };
  Frame save_frame() const {
    Frame f{r.cfm, {}};
    std::copy_n(r.stack_gr + r.bof, 96, f.gr);
    return f;
  }
  void restore_frame(const Frame& f) {
    r.cfm = f.cfm;
    std::copy_n(f.gr, 96, r.stack_gr + r.bof);
  }
  u64 word(u64 ip, unsigned half) {
    u64 v = 0;
    bus.read_bytes((ip & low_mask(60) & ~kVirtualOffset) + 8 * half, &v, 8);
    return v;
  }
  /// br.ret b0: back to the gate pops the frame that push_frame made.
  void ret() {
    r.ip = r.br[0], r.slot = 0;
    if (break_imm(r.ip) == gate_imm::kReturn) {
      restore_frame(frames_.back());
      frames_.pop_back();
    }
  }
  u64 break_imm(u64 ip) {
    const u64 low = word(ip, 0);
    if ((low >> 5 & (u64{0x1ff} << 27)) || (low & 0x1f) == 0) return 0;
    const u64 slot = low >> 5 & low_mask(41);
    return (slot >> 6 & 0xfffff) | (slot >> 36 & 1) << 20;
  }
  void step() {
    if (const auto f = functions_.find(r.ip & low_mask(60)); f != functions_.end()) {
      std::vector<u64> args;
      for (unsigned n = 0; n < r.cfm.sof; n++) args.push_back(r.gr(32 + n));
      const u64 b0 = r.br[0];
      const u64 result = f->second(*this, args);
      if (stopped) return;
      r.gr_static[8] = result;
      r.br[0] = b0;
      return ret();
    }
    if (stub_is(core_stub::kStartImage)) return start_image();
    if (stub_is(core_stub::kRestoreState)) throw Unwound{};
    if (stub_is(core_stub::kTouchRead) || stub_is(core_stub::kTouchWrite)) {
      touches++;
      std::erase(unmapped_pages, align_down(r.gr(14), 4096));
      if (gate(*this, gate_imm::kReturn).action != GateAction::Resume)
        throw std::runtime_error("touch did not return");
      return;
    }
    do_break();
  }
  void do_break() {
    if (r.slot == 1) return ret();  // the br.ret of a service stub
    const GateResult result = gate(*this, break_imm(r.ip));
    switch (result.action) {
      case GateAction::NotMine: throw std::runtime_error("break that is not the gate's");
      case GateAction::Continue: return ret();
      case GateAction::Stop: stopped = true; return;
      case GateAction::Resume:
        if (result.idle_until_ns) {
          clock.now = std::max(clock.now, *result.idle_until_ns);
          if (on_idle) on_idle(clock.now);
        }
    }
  }
  bool stub_is(u64 offset) {
    // Stubs are known by what they hold: compare with the copy that core_stubs.inc gives.
    static constexpr u64 kCode[] = {
#include "firmware/core_stubs.inc"
    };
    return word(r.ip, 0) == kCode[offset / 8] && word(r.ip, 1) == kCode[offset / 8 + 1];
  }
  void start_image() {
    const u64 descriptor = r.gr(32), handle = r.gr(33), table = r.gr(34),
              base = r.ip - core_stub::kStartImage;
    const u64 b0 = r.br[0];
    const size_t depth = frames_.size();
    const unsigned calls = depth_;
    const Frame frame = save_frame();
    r.ip = base + core_stub::kSaveState + 16;
    if (gate(*this, gate_imm::kSaveState).action != GateAction::Continue)
      throw std::runtime_error("save_state refused");
    try {
      call(descriptor, {handle, table});
    } catch (const Unwound&) {
      frames_.resize(depth);
      depth_ = calls;
      restore_frame(frame);
      r.gr_static[8] = 1;
    }
    r.br[0] = b0;
    ret();
  }

  std::map<u64, Guest> functions_;
  std::vector<Frame> frames_;
  unsigned depth_ = 0;
};

/// RAM, UART, clock, host and one CPU; no firmware yet.
struct FakeMachine {
  u8* ram = static_cast<u8*>(
      mmap(nullptr, kRamBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  BoardDescription board = test_board();
  AddressSpace bus;
  FakeClock clock;
  FakeHost host;
  FakeUart uart;
  FakeCpu cpu{bus, clock};

  FakeMachine() {
    bus.add_ram(0, kRamBytes, ram, "ram");
    bus.add_mmio(board.uarts[0].base, 8, &uart, "uart");
    cpu.r.gr_static[12] = 0x20'0000;
  }
  ~FakeMachine() { munmap(ram, kRamBytes); }
  FakeMachine(const FakeMachine&) = delete;

  template <class T>
  T peek(GuestPhys at) {
    T v{};
    bus.read_bytes(at, &v, sizeof v);
    return v;
  }
  template <class T>
  void poke(GuestPhys at, const T& v) {
    bus.write_bytes(at, &v, sizeof v);
  }
};

}  // namespace ia64::firmware::test
