// A hostile driver of the VIO SCSI adapter.
#include "devices/mpt/mpt.h"
#include "tests/fuzz/adapter_bench.h"

namespace ia64::fuzz {

namespace {

using devices::mpt::Mpt;

class Driver : AdapterBench {
 public:
  explicit Driver(u64 seed) : AdapterBench(seed) {
    host.plug(1, 2, hba_);
    for (unsigned n : {0u, 3u, 14u}) hba_.attach(n, disk());
    set(kConfig + 0x14, 4, kBar);
    set(kConfig + 0x1c, 4, kBar + 0x1'0000);
    set(kConfig + 4, 2, 7);
  }
  void run() {
    if (!random.one_in(8)) bring_up(random.one_in(4));
    for (u64 steps = 50 + random.below(300); steps; steps--) step();
    // Whatever happened, a reset brings it back.
    release();
    hba_.reset();
    set(kConfig + 0x14, 4, kBar);
    set(kConfig + 4, 2, 7);
    check(read(0) == 0x1000'0000, "the IOC is not ready after a reset");
    check(read(0x44) == 0xffff'ffff, "a reply is left after a reset");
    check(!line.level, "the interrupt line is left asserted");
    bring_up(false);
    check(read(0) >> 28 == 2, "the IOC does not become operational again");
  }

 private:
  static constexpr u64 kBar = 0x8c00'0000;

  u32 read(unsigned reg) { return static_cast<u32>(get(kBar + reg, 4)); }
  void write(unsigned reg, u64 v) { set(kBar + reg, 4, v); }

  void handshake(const std::vector<u8>& m, bool to_the_end) {
    write(0x30, 0);
    write(0, 0x4200'0000 | m.size() / 4 << 16);
    write(0x30, 0);
    for (size_t at = 0; at + 4 <= m.size(); at += 4) write(0, load_le<u32>(&m[at]));
    for (u64 n = to_the_end ? 600 : random.below(40); n && (read(0x30) & 1); n--) {
      read(0);
      write(0x30, 0);
    }
  }
  std::vector<u8> plain(u8 function, size_t bytes) {
    std::vector<u8> m(bytes);
    m[3] = function;
    return m;
  }
  void bring_up(bool carelessly) {
    for (u64 n = 8 + random.below(60); n; n--)
      write(0x44, carelessly ? address() : random.below(kRamBytes / 128) * 128);
    auto init = plain(2, 0x18);
    init[0] = 4, init[0x0c] = 128;
    if (carelessly) mutate(init);
    handshake(init, true);
    handshake(plain(6, 12), true);
    write(0x34, random.below(16));
  }
  void mutate(std::vector<u8>& m) {
    for (u64 n = random.below(4); n; n--) {
      const size_t at = random.below(m.size() / 4) * 4;
      switch (random.below(3)) {
        case 0: m[at + random.below(4)] = static_cast<u8>(random.awkward()); break;
        case 1: store_le<u32>(&m[at], static_cast<u32>(random.awkward())); break;
        default: store_le<u32>(&m[at], static_cast<u32>(address()));
      }
    }
  }

  // --- messages
  u32 element(bool chain) {
    u32 flags = chain ? 0x30 : 0x10;
    if (random.one_in(3)) flags |= 0x02;
    if (random.one_in(3)) flags |= 0x80;
    if (random.one_in(3)) flags |= 0xc1;
    if (random.one_in(2)) flags |= 0x04;
    if (random.one_in(20)) flags = static_cast<u32>(random.next());
    const u64 length = random.one_in(6) ? random.awkward() : random.below(5000);
    return flags << 24 | static_cast<u32>(length & 0xff'ffff);
  }
  void scatter_elements(u64 at) {
    for (u64 n = random.below(8), p = at; n; n--) {
      const u32 head = element(random.one_in(5));
      put32(p, head);
      put32(p + 4, address());
      if (head & 0x0200'0000) put32(p + 8, random.one_in(9) ? random.next() : 0);
      p += head & 0x0200'0000 ? 12 : 8;
    }
  }
  std::vector<u8> scsi_io() {
    auto m = plain(0, 0x80);
    constexpr u8 kTargets[] = {0, 3, 14, 3, 0, 5, 15, 200};
    m[0] = random.pick(kTargets), m[4] = 16, m[5] = static_cast<u8>(random.below(80));
    store_le<u32>(&m[8], static_cast<u32>(random.below(0x1'0000)));
    store_le<u32>(&m[0x14], static_cast<u32>(random.below(3)) << 24);
    random_cdb(&m[0x18]);
    store_le<u32>(&m[0x28], static_cast<u32>(random.one_in(8) ? random.awkward() : random.below(20) * 512));
    store_le<u32>(&m[0x2c], static_cast<u32>(address()));
    m[2] = random.one_in(2) ? static_cast<u8>(12 + random.below(10)) : u8{0};
    for (size_t p = 0x30; p + 12 <= m.size();) {
      const u32 head = element(m[2] * 4u == p || random.one_in(9));
      store_le<u32>(&m[p], head);
      store_le<u32>(&m[p + 4], static_cast<u32>(address()));
      p += head & 0x0200'0000 ? 12 : 8;
    }
    return m;
  }
  std::vector<u8> config() {
    constexpr u8 kTypes[] = {0, 1, 2, 3, 4, 4, 4, 9, 15};
    auto m = plain(4, 0x28);
    m[0] = static_cast<u8>(random.below(8));
    m[0x16] = static_cast<u8>(random.below(6)), m[0x17] = random.pick(kTypes);
    store_le<u32>(&m[0x18], static_cast<u32>(random.below(18)));
    store_le<u32>(&m[0x1c], 0xd100'0000 | static_cast<u32>(random.below(300)));
    store_le<u32>(&m[0x20], static_cast<u32>(address()));
    return m;
  }
  std::vector<u8> task() {
    auto m = plain(1, 0x34);
    m[0] = static_cast<u8>(random.below(16)), m[5] = static_cast<u8>(random.below(9));
    store_le<u32>(&m[0x30], static_cast<u32>(random.below(0x1'0000)));
    return m;
  }
  std::vector<u8> message() {
    std::vector<u8> m;
    switch (random.below(10)) {
      case 0: m = config(); break;
      case 1: m = task(); break;
      case 2: m = plain(static_cast<u8>(random.below(0x30)), 0x30); break;
      case 3: m = plain(7, 12), m[0] = static_cast<u8>(random.below(2)); break;
      default: m = scsi_io();
    }
    if (random.one_in(3)) mutate(m);
    return m;
  }
  void post() {
    const auto m = message();
    const u64 at = random.one_in(12) ? address() : random.below(kRamBytes / 128 - 1) * 128;
    if (inside(at, m.size())) std::copy(m.begin(), m.end(), &ram[at]);
    write(0x40, at | random.below(8));
  }

  // --- everything else
  void drain() {
    for (u64 n = random.below(40); n; n--) {
      const u32 reply = read(0x44);
      if (reply == 0xffff'ffff) break;
      if (reply >> 31) write(0x44, random.one_in(30) ? address() : reply << 1);
    }
  }
  void diagnose() {
    constexpr u8 kKeys[] = {0xff, 4, 0xb, 2, 7, 0xd};
    for (u8 key : kKeys) write(4, random.one_in(20) ? random.next() : key);
    constexpr u32 kValues[] = {4, 4, 4, 0x204, 2, 0x80, 0x11};
    write(8, random.pick(kValues));
  }
  void hot_plug() {
    const unsigned n = static_cast<unsigned>(random.below(Mpt::kTargets));
    if (n == 0 || n == 3 || n == 14) return;
    if (!hba_.target(n)) {
      hba_.attach(n, disk());
      plugged_[n] = stores.back();
      return;
    }
    release();
    std::erase(stores, plugged_[n]);  // the store dies with its target
    hba_.detach(n);
  }
  void configure() {
    const unsigned reg = static_cast<unsigned>(random.below(64)) * 4;
    const u64 old = get(kConfig + reg, 4);
    set(kConfig + reg, 4, random.one_in(2) ? random.next() : address());
    if (random.one_in(2)) post();
    if (!random.one_in(4)) set(kConfig + reg, 4, old);
  }
  void step() {
    switch (random.below(26)) {
      case 0: write(static_cast<unsigned>(random.below(32)) * 4, random.awkward()); break;
      case 1: read(static_cast<unsigned>(random.below(32)) * 4); break;
      case 2: handshake(message(), random.one_in(2)); break;
      case 3: hold(); break;
      case 4:
      case 5: release(); break;
      case 6: scatter_elements(random.below(kRamBytes)); break;
      case 7: diagnose(); break;
      case 8: write(0, (0x40 + random.below(5)) << 24 | random.below(0x100'0000)); break;
      case 9: configure(); break;
      case 10: write(0x44, address()); break;
      case 11: write(0x34, random.below(16)); break;
      case 12: bring_up(random.one_in(3)); break;
      case 13: hba_.inspect(seen_); break;
      case 14:
      case 15:
      case 16: drain(); break;
      case 17: hot_plug(); break;
      case 18:
        for (u64 n = random.below(300); n; n--) post();  // more than it can take
        break;
      default: post();
    }
  }

  std::map<unsigned, storage::FaultInjectingStore*> plugged_;
  Mpt hba_{line, memory};
  testing::CountingInspector seen_;
};

}  // namespace

void fuzz_one(u64 seed) {
  Driver(seed).run();
}

}  // namespace ia64::fuzz
