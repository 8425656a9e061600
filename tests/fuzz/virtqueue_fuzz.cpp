// A hostile driver of the AVIO adapter: transport, rings, requests.
#include "devices/virtio/virtio_scsi.h"
#include "tests/fuzz/adapter_bench.h"

namespace ia64::fuzz {

namespace {

using devices::virtio::VirtioScsi;

class Driver : AdapterBench {
 public:
  explicit Driver(u64 seed) : AdapterBench(seed) {
    host.plug(1, 2, hba_);
    for (unsigned n : {0u, 3u, 127u}) hba_.attach(n, disk());
    enable();
    for (u64 at = get(kConfig + 0x34, 1); at; at = get(kConfig + at + 1, 1))
      if (get(kConfig + at, 1) == 9 && get(kConfig + at + 3, 1) == 5) pci_cfg_ = kConfig + at;
  }
  void run() {
    if (!random.one_in(8)) bring_up(random.one_in(4));
    for (u64 steps = 50 + random.below(300); steps; steps--) step();
    // Whatever happened, a reset brings it back.
    release();
    hba_.reset();
    enable();
    check(get(kCommon + 20, 1) == 0, "the device status is not 0 after a reset");
    check(!line.level, "the interrupt line is left asserted");
    bring_up(false);
    check(get(kCommon + 20, 1) == 15, "the device does not start again");
  }

 private:
  static constexpr u64 kBar0 = 0x8c00'0000, kBar1 = 0x8c01'0000;
  // The four structures: their places are fixed by the device's capabilities, one page each.
  static constexpr u64 kCommon = kBar0, kIsr = kBar0 + 0x1000, kDevice = kBar0 + 0x2000,
                       kNotify = kBar0 + 0x3000;
  static constexpr unsigned kQueues = 4;  // control, event, two request queues
  struct Ring {
    u64 desc, avail, used;
    u16 size;
  };

  void enable() {
    set(kConfig + 0x10, 4, kBar0);
    set(kConfig + 0x14, 4, kBar1);
    set(kConfig + 4, 2, 6);
  }
  void bring_up(bool carelessly) {
    set(kCommon + 20, 1, 0);
    release();
    set(kCommon + 20, 1, 3);
    set(kCommon + 8, 4, 1);
    set(kCommon + 12, 4, 1);
    set(kCommon + 8, 4, 0);
    set(kCommon + 12, 4, random.below(4) << 28 | (random.one_in(2) ? 2 : 0));
    set(kCommon + 20, 1, 11);
    for (unsigned q = 0; q < kQueues; q++) {
      Ring& r = rings_[q];
      r = {0x1000 * (1 + 3 * u64{q}), 0x1000 * (2 + 3 * u64{q}), 0x1000 * (3 + 3 * u64{q}),
           static_cast<u16>(u64{1} << random.below(9))};
      if (carelessly) r.desc = address(), r.avail = address(), r.used = address();
      // A new ring starts with zeroed indices.
      put32(r.avail, 0);
      put32(r.used, 0);
      set(kCommon + 22, 2, q);
      set(kCommon + 24, 2, r.size);
      set(kCommon + 26, 2, random.below(6));
      for (unsigned i = 0; i < 3; i++) {
        const u64 at = i == 0 ? r.desc : i == 1 ? r.avail : r.used;
        set(kCommon + 32 + 8 * i, 4, at & 0xffff'ffff);
        set(kCommon + 36 + 8 * i, 4, at >> 32);
      }
      set(kCommon + 28, 2, 1);
    }
    set(kCommon + 20, 1, 15);
  }

  // --- chains: a careful driver gets further before the device gives up on it
  u64 data_address() {
    return careful_ && !random.one_in(60) ? 0x2'1000 + random.below(0x1'0000) : address();
  }
  u64 mutation() { return careful_ ? 200 : 25; }
  void put_desc(u64 table, u64 index, u64 at, u64 bytes, u64 flags, u64 next) {
    const u64 d = table + 16 * index;
    put32(d, at);
    put32(d + 4, at >> 32);
    put32(d + 8, bytes);
    put32(d + 12, (flags & 0xffff) | next << 16);
  }
  u64 length() { return random.one_in(careful_ ? 200 : 8) ? random.awkward() : 108 + random.below(3000); }
  /// A few descriptors from `first` on, joined properly most of the time. @returns how many
  u64 write_chain(u64 table, u64 first, u64 size, bool request) {
    const u64 count = 2 + random.below(5);
    bool write = false;
    const u64 turn =
        careful_ && random.one_in(2) ? 1 : count - 1;  // data in, or data out and the response last
    for (u64 n = 0; n < count; n++) {
      write |= careful_ ? n == turn : n > 0 && random.one_in(2);
      u64 flags = (n + 1 < count ? 1 : 0) | (write ? 2 : 0);
      if (random.one_in(mutation())) flags = random.next();
      const u64 at = request && n == 0 ? kRequest : data_address();
      const u64 bytes = request && n == 0 ? 51 : length();
      put_desc(table, (first + n) % size, at, bytes, flags,
               random.one_in(mutation()) ? random.next() : (first + n + 1) % size);
    }
    return count;
  }
  void write_request() {
    constexpr u8 kTargets[] = {0, 3, 127, 3, 0, 9};
    u8* const r = &ram[kRequest];
    std::memset(r, 0, 51);
    r[0] = random.one_in(12) ? static_cast<u8>(random.next()) : u8{1};
    r[1] = random.pick(kTargets);
    r[2] = 0x40, r[3] = random.one_in(20) ? static_cast<u8>(random.next()) : u8{0};
    store_le<u64>(r + 8, random.below(50));
    random_cdb(r + 19);
  }
  void write_management() {
    u8* const r = &ram[kRequest];
    std::memset(r, 0, 51);
    store_le<u32>(r, static_cast<u32>(random.one_in(4) ? random.below(4) : 0));
    store_le<u32>(r + 4, static_cast<u32>(random.below(10)));
    r[8] = 1, r[9] = static_cast<u8>(random.below(5)), r[10] = 0x40, r[11] = random.one_in(9);
    store_le<u64>(r + 16, random.below(50));
  }
  void offer(unsigned q) {
    const Ring& r = rings_[q];
    if (!r.size) return;
    q == 0 ? write_management() : write_request();
    const u64 head = random.one_in(mutation()) ? random.next() & 0xffff : random.below(r.size);
    if (random.one_in(3)) {  // an indirect table
      const u64 table = 0x3'2000 + random.below(0x400) * 16;
      const u64 count = write_chain(table, 0, 16, true);
      const u64 bytes = random.one_in(mutation()) ? random.awkward() : 16 * count;
      put_desc(r.desc, head, table, bytes, random.one_in(mutation()) ? random.next() : 4, 0);
    } else {
      write_chain(r.desc, head, r.size, true);
    }
    if (!inside(r.avail, 4 + 2 * u64{r.size})) return;
    u16 index = load_le<u16>(&ram[r.avail + 2]);
    store_le<u16>(&ram[r.avail + 4 + 2 * (index % r.size)], static_cast<u16>(head));
    index = random.one_in(2 * mutation()) ? static_cast<u16>(random.next()) : static_cast<u16>(index + 1);
    store_le<u16>(&ram[r.avail + 2], index);
  }
  void kick(unsigned q) { set(kNotify + 4 * q, 2, q); }

  void through_configuration() {
    if (!pci_cfg_) return;
    const unsigned size = 1u << random.below(3);
    set(pci_cfg_ + 4, 1, random.one_in(10));
    set(pci_cfg_ + 8, 4, random.one_in(10) ? random.awkward() : random.below(0x4000) & ~u64{3});
    set(pci_cfg_ + 12, 4, size);
    random.one_in(2) ? set(pci_cfg_ + 16, size, random.awkward()) : void(get(pci_cfg_ + 16, size));
  }
  void scribble() {
    for (u64 n = random.below(20); n; n--) ram[random.below(kRamBytes)] = static_cast<u8>(random.awkward());
  }
  void hot_plug() {
    const unsigned n = static_cast<unsigned>(random.below(6)) + 10;
    if (!hba_.target(n)) {
      hba_.attach(n, disk());
      plugged_[n] = stores.back();
      return;
    }
    release();
    std::erase(stores, plugged_[n]);  // the store dies with its target
    hba_.detach(n);
  }
  void step() {
    const unsigned q = static_cast<unsigned>(random.below(kQueues));
    if (careful_ && (get(kCommon + 20, 1) & 0x40)) bring_up(false);  // the device asked for a reset
    if (careful_ && random.one_in(2)) {
      offer(q);
      return kick(q);
    }
    switch (random.below(20)) {
      case 0: set(kBar0 + random.below(0x4000), 1u << random.below(4), random.awkward()); break;
      case 1: get(kBar0 + random.below(0x4000), 1u << random.below(4)); break;
      case 2: set(kCommon + random.below(56), 1u << random.below(3), random.awkward()); break;
      case 3: set(kBar1 + random.below(0x60) * 4, 4, random.one_in(2) ? address() : random.awkward()); break;
      case 4: set(kConfig + random.below(64) * 4, 4, random.next()), enable(); break;
      case 5: hold(); break;
      case 6:
      case 7: release(); break;
      case 8: scribble(); break;
      case 9: hot_plug(); break;
      case 10: bring_up(random.one_in(3)); break;
      case 11: hba_.inspect(seen_); break;
      case 13: through_configuration(); break;
      case 12: kick(static_cast<unsigned>(random.below(8))); break;
      default:
        for (u64 n = 1 + random.below(4); n; n--) offer(q);
        kick(q);
    }
  }

  static constexpr u64 kRequest = 0x2'0000;
  const bool careful_ = random.one_in(2);
  u64 pci_cfg_ = 0;
  std::array<Ring, kQueues> rings_{};
  std::map<unsigned, storage::FaultInjectingStore*> plugged_;
  VirtioScsi hba_{{.request_queues = 2}, line, memory};
  testing::CountingInspector seen_;
};

}  // namespace

void fuzz_one(u64 seed) {
  Driver(seed).run();
}

}  // namespace ia64::fuzz
