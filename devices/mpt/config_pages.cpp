// Configuration pages: contents, look-up, writes, and the transfer agreements they stand for.
#include "devices/mpt/config_pages.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/bits.h"
#include "base/endian.h"
#include "base/invariant.h"
#include "devices/mpt/mpt_regs.h"

namespace ia64::devices::mpt {

namespace {

constexpr unsigned kHeader = 4;
constexpr u8 kTargetIds = 16;

// SCSI port page 0 and SCSI device pages 0 and 1 share these bits of a transfer agreement.
constexpr u32 kIu = 1u << 0, kDt = 1u << 1, kQas = 1u << 2, kWide = 1u << 29, kAip = 1u << 31;
constexpr u32 kExtended = 0xf8,
              kIdp = 1u << 27;  // hold MCS, write flow, read stream, RTI, precompensation; padding
constexpr unsigned kPeriodAt = 8, kOffsetAt = 16;
constexpr u8 kUltra320 = 0x08, kUltra160 = 0x09, kUltra2 = 0x0a, kMaxOffset = 0x7f;
constexpr u32 kParamsNegotiated = 1;

/// Builds a page body field by field, in the order of the manual's table.
class Body {
 public:
  Body& u8_(u8 v) { return put(v); }
  Body& u16_(u16 v) { return put(v); }
  Body& u32_(u32 v) { return put(v); }
  Body& u64_(u64 v) { return put(v); }
  Body& text(std::string_view s, size_t width) {
    for (size_t i = 0; i < width; i++) bytes_.push_back(i < s.size() ? static_cast<u8>(s[i]) : u8{0});
    return *this;
  }
  Body& zeroes(size_t n) {
    bytes_.resize(bytes_.size() + n);
    return *this;
  }
  std::vector<u8> take() { return std::move(bytes_); }

 private:
  template <class T>
  Body& put(T v) {
    bytes_.resize(bytes_.size() + sizeof v);
    store_le(&bytes_[bytes_.size() - sizeof v], v);
    return *this;
  }
  std::vector<u8> bytes_;
};

/// What a request for `asked` comes to: nobody gets more than the bus can do, and each feature needs the ones
/// below it.
u32 agreement(u32 asked) {
  u32 a = asked & (kWide | kAip);
  u8 period = std::max(static_cast<u8>(asked >> kPeriodAt), kUltra320);
  const u8 offset = std::min(static_cast<u8>(asked >> kOffsetAt), kMaxOffset);
  if (offset == 0) return a;  // asynchronous
  const bool dt = (asked & kDt) && (asked & kWide);
  if (!dt) period = std::max(period, kUltra2);
  if (!(asked & kIu)) period = std::max(period, kUltra160);
  if (dt) a |= kDt | (asked & (kIu | kQas));
  if (dt && (asked & kIu)) a |= asked & (kExtended | kIdp);
  return a | u32{period} << kPeriodAt | u32{offset} << kOffsetAt;
}

}  // namespace

ConfigPages::ConfigPages(u8 own_id) : own_id_(own_id) {
  INVARIANT(own_id < kTargetIds);
  add_unit_pages();
  add_manufacturing_pages();
  add_port_pages();
  for (u8 id = 0; id < kTargetIds; id++) add_device_pages(id);
}

void ConfigPages::add(PageType type, u8 number, u8 version, u8 attributes, std::vector<u8> body,
                      u32 address) {
  Page p;
  p.name = {static_cast<u8>(type), number, address};
  p.attributes = attributes;
  INVARIANT(body.size() % 4 == 0);
  const size_t dwords = (kHeader + body.size()) / 4;
  INVARIANT(dwords <= 255);
  p.current = {version, static_cast<u8>(dwords), number, static_cast<u8>(static_cast<u8>(type) | attributes)};
  p.current.insert(p.current.end(), body.begin(), body.end());
  p.nvram = p.defaults = p.current;
  pages_.push_back(std::move(p));
}

void ConfigPages::add_unit_pages() {
  constexpr u32 kSingleFunction = 1, kDisableIr = 0x40, kSupportAll = 0x30, kSpiEnable = 0x400;
  constexpr u8 kSlotUnknown = 0xff;
  add(PageType::IoUnit, 0, 0, kPageReadOnly, Body().u64_(0x0000'1000'0000'0030).take());
  add(PageType::IoUnit, 1, 2, kPagePersistent, Body().u32_(kSingleFunction | kDisableIr).take());
  add(PageType::IoUnit, 2, 2, kPagePersistent, Body().zeroes(28).take());  // no BIOS
  add(PageType::IoUnit, 3, 1, kPageChangeable, Body().zeroes(4).take());   // no GPIO pins

  Body ioc0;
  ioc0.u32_(2048).u32_(2048).u16_(kVendorId).u16_(kDeviceId).u8_(kRevisionC0).zeroes(3);
  add(PageType::Ioc, 0, 1, kPageReadOnly, ioc0.u32_(0x010000).u16_(0x103c).u16_(0x12c5).take());
  add(PageType::Ioc, 1, 1, kPagePersistent, Body().u32_(0).u32_(0).u8_(0).u8_(kSlotUnknown).u16_(0).take());
  add(PageType::Ioc, 2, 2, kPageReadOnly, Body().u32_(0).u32_(0).take());  // no integrated RAID: no volumes,
  add(PageType::Ioc, 3, 0, kPageReadOnly, Body().u32_(0).take());          // no disks in them,
  add(PageType::Ioc, 4, 0, kPageChangeable, Body().u32_(0).take());        // no enclosure processors,
  add(PageType::Ioc, 5, 0, kPageReadOnly, Body().u32_(0).u32_(0).take());  // no spares

  Body bios1;
  bios1.u32_(kSpiEnable).u32_(kSupportAll).u32_(0).u32_(0).u32_(0);
  add(PageType::Bios, 1, 2, kPagePersistent, bios1.zeroes(8).take());
  add(PageType::Bios, 2, 1, kPagePersistent, Body().zeroes(28 + 68).take());  // no boot device chosen
}

void ConfigPages::add_manufacturing_pages() {
  Body m0;
  m0.text("LSI53C1030", 16).text("C0", 8).text("VIO SCSI", 16).zeroes(32);
  add(PageType::Manufacturing, 0, 0, kPageReadOnly, m0.take());
  add(PageType::Manufacturing, 1, 0, kPageReadOnly, Body().zeroes(256).take());  // no vital product data
  const auto chip = Body().u16_(kDeviceId).u8_(kRevisionC0).u8_(0).u32_(0).take();
  add(PageType::Manufacturing, 2, 0, kPageReadOnly, chip);
  add(PageType::Manufacturing, 3, 0, kPageReadOnly, chip);
}

void ConfigPages::add_port_pages() {
  constexpr u32 kLvd = 3, kConnectedIdUnknown = 0xff00'0000;
  constexpr u32 kInitByBoth = 0x30;
  constexpr u16 kDisconnect = 1, kIdScan = 2, kLunScan = 4, kTagQueue = 8;
  constexpr u32 kAble =
      kIu | kDt | kQas | kWide | kAip | u32{kUltra320} << kPeriodAt | u32{kMaxOffset} << kOffsetAt;
  add(PageType::ScsiPort, 0, 1, kPageReadOnly, Body().u32_(kAble).u32_(kConnectedIdUnknown | kLvd).take());
  const u32 ids = 1u << (16 + own_id_) | own_id_;
  add(PageType::ScsiPort, 1, 3, kPagePersistent, Body().u32_(ids).u32_(0).u32_(0).take());
  Body port2;
  port2.u32_(0).u32_(kInitByBoth | own_id_);
  for (u8 id = 0; id < kTargetIds; id++)
    port2.u8_(10).u8_(kUltra320).u16_(kDisconnect | kIdScan | kLunScan | kTagQueue);
  add(PageType::ScsiPort, 2, 2, kPagePersistent, port2.take());
}

void ConfigPages::add_device_pages(u8 id) {
  add(PageType::ScsiDevice, 0, 2, kPageReadOnly, Body().u32_(0).u32_(0).take(), id);
  add(PageType::ScsiDevice, 1, 3, kPageChangeable, Body().u32_(0).u32_(0).u32_(0).take(), id);
  add(PageType::ScsiDevice, 2, 0, kPageChangeable, Body().u32_(0).u32_(0).u32_(0).take(), id);
  add(PageType::ScsiDevice, 3, 0, kPageReadOnly, Body().zeroes(8).take(), id);  // no errors on this bus
}

// --- look-up and changes

const Page* ConfigPages::find_page(const PageName& n) const {
  const bool per_target = n.type == static_cast<u8>(PageType::ScsiDevice);
  const bool per_port = n.type == static_cast<u8>(PageType::ScsiPort);
  if (per_port && n.address != 0) return nullptr;
  for (const auto& p : pages_)
    if (p.name.type == n.type && p.name.number == n.number && (!per_target || p.name.address == n.address))
      return &p;
  return nullptr;
}

Page* ConfigPages::find_page(const PageName& n) {
  return const_cast<Page*>(std::as_const(*this).find_page(n));
}

const Page* ConfigPages::find(const PageName& n, IocStatus& why) const {
  if (const Page* const page = find_page(n)) return page;
  const bool known =
      std::any_of(pages_.begin(), pages_.end(), [&](const Page& p) { return p.name.type == n.type; });
  why = known ? IocStatus::ConfigInvalidPage : IocStatus::ConfigInvalidType;
  return nullptr;
}

IocStatus ConfigPages::write(const PageName& n, std::span<const u8> data, bool nvram) {
  Page* const page = find_page(n);
  if (!page) return IocStatus::ConfigInvalidPage;
  if (page->attributes == kPageReadOnly) return IocStatus::ConfigInvalidAction;
  if (nvram && page->attributes != kPagePersistent) return IocStatus::ConfigCantCommit;
  const size_t size = std::min(data.size(), page->current.size());
  if (size <= kHeader) return IocStatus::ConfigInvalidData;
  for (auto* version : {&page->current, &page->nvram}) {
    if (version == &page->nvram && !nvram) continue;
    std::copy_n(data.begin() + kHeader, size - kHeader, version->begin() + kHeader);
  }
  if (page->name.type == static_cast<u8>(PageType::ScsiDevice))
    negotiate(static_cast<u8>(page->name.address));
  return IocStatus::Success;
}

IocStatus ConfigPages::restore_defaults(const PageName& n) {
  Page* const page = find_page(n);
  if (!page) return IocStatus::ConfigInvalidPage;
  page->current = page->defaults;
  if (page->name.type == static_cast<u8>(PageType::ScsiDevice))
    negotiate(static_cast<u8>(page->name.address));
  return IocStatus::Success;
}

void ConfigPages::reset() {
  for (auto& p : pages_) p.current = p.nvram;
  for (u8 id = 0; id < kTargetIds; id++) negotiate(id);
}

void ConfigPages::visit_state(StateArchive& a) {
  a.same(static_cast<u32>(pages_.size()), "the number of configuration pages");
  for (Page& p : pages_) {
    a.fixed(p.current, "the size of a configuration page");
    a.fixed(p.nvram, "the size of a configuration page");
  }
  a.same(present_, "the set of targets");
}

void ConfigPages::set_present(u8 id, bool present) {
  INVARIANT(id < kTargetIds);
  present_ = present ? present_ | 1u << id : present_ & ~(1u << id);
  negotiate(id);
}

/// A real adapter negotiates before the next command; nobody can tell the difference.
void ConfigPages::negotiate(u8 id) {
  const bool present = present_ >> id & 1;
  const Page* const asked = find_page({static_cast<u8>(PageType::ScsiDevice), 1, id});
  Page* const agreed = find_page({static_cast<u8>(PageType::ScsiDevice), 0, id});
  store_le<u32>(&agreed->current[kHeader], present ? agreement(load_le<u32>(&asked->current[kHeader])) : 0);
  store_le<u32>(&agreed->current[kHeader + 4], present ? kParamsNegotiated : 0);
}

u32 ConfigPages::value(PageType type, u8 number, unsigned offset) const {
  const Page* const page = find_page({static_cast<u8>(type), number, 0});
  INVARIANT(page && offset + 4 <= page->current.size());
  return load_le<u32>(&page->current[offset]);
}

}  // namespace ia64::devices::mpt
