// Parser and address allocation for storage resource statements.
#include "machine/resource_statement.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>
#include <set>

#include "storage/scsi/target_factory.h"

namespace ia64::machine {
namespace {

constexpr unsigned kBuses = 8, kSlots = 8;

/// What one kind of adapter takes. @source integrity-vm reference 1.1 and 2.2 (M43 p.102-103, AV p.5)
struct AdapterRule {
  std::string_view name;
  unsigned targets;  // per adapter
  unsigned devices;  // per guest, over all adapters of the kind
};
constexpr std::array<AdapterRule, 2> kAdapters{{{"scsi", 15, 30}, {"avio_stor", 128, 128}}};

constexpr unsigned kFileStores = 30;  // per guest, VIO and AVIO together (M42 p.114, AV p.5)

using Slot = std::pair<u8, u8>;  // bus, slot

/// Kept for the platform's own devices: the manuals allow 63 adapters in 64 slots and do not say which slot is missing.
constexpr Slot kReservedSlot{7, 7};
/// New adapters come from bus 0, slot 2 on, as Integrity VM was seen to choose; slots 0 and 1 are taken last.
constexpr u8 kFirstAdapterSlot = 2;

const AdapterRule* find_adapter(std::string_view name) {
  for (const auto& rule : kAdapters)
    if (rule.name == name) return &rule;
  return nullptr;
}

Error bad(std::string_view statement, std::string why, ErrorKind kind = ErrorKind::Invalid) {
  return {kind, fmt::format("resource '{}': {}", statement, why)};
}

/// Cuts the text up to the next `separator` off `rest`; everything when there is none.
std::string_view cut(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

struct NumberRule {
  const char* name;
  unsigned limit;
};
Result<std::optional<u8>> parse_number(std::string_view text, const NumberRule& rule) {
  if (text.empty()) return std::optional<u8>{};
  unsigned v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size() || v >= rule.limit)
    return Error{ErrorKind::Invalid,
                 fmt::format("{} '{}' is not a number from 0 to {}", rule.name, text, rule.limit - 1)};
  return std::optional<u8>{static_cast<u8>(v)};
}

Result<DeviceAddress> parse_address(std::string_view text, const AdapterRule& adapter) {
  const std::array<NumberRule, 3> rules{{{"bus", kBuses}, {"slot", kSlots}, {"target", adapter.targets}}};
  DeviceAddress a;
  std::array<std::optional<u8>*, 3> fields{&a.bus, &a.slot, &a.target};
  for (size_t i = 0; i < fields.size(); i++) {
    auto n = parse_number(cut(text, ','), rules[i]);
    if (!n) return n.error();
    *fields[i] = *n;
  }
  if (!text.empty()) return Error{ErrorKind::Invalid, "the address has more than bus,slot,target"};
  if (a.bus.has_value() != a.slot.has_value())
    return Error{ErrorKind::Invalid, "bus and slot are given together or not at all"};
  if (a.bus && Slot(*a.bus, *a.slot) == kReservedSlot)
    return Error{ErrorKind::Invalid, fmt::format("slot {} of bus {} is reserved", *a.slot, *a.bus)};
  return a;
}

Result<void> check_supported(const ResourceStatement& s) {
  if (!find_adapter(s.adapter))
    return bad(s.text, fmt::format("adapter '{}' is not supported; use scsi or avio_stor", s.adapter), ErrorKind::Unsupported);
  if (auto ok = storage::scsi::check_target_kind(s.device, s.storage); !ok) return bad(s.text, ok.error().message, ok.error().kind);
  if (s.location.empty()) return bad(s.text, fmt::format("the location after '{}:' is empty", s.storage));
  return {};
}

/// Gives out addresses: what statements name is taken first, then the rest in order.
class Allocation {
 public:
  Result<void> take_named(const ResourceStatement& s);
  Result<void> count(const ResourceStatement& s);
  Result<void> complete(ResourceStatement& s);

 private:
  struct Adapter {
    const AdapterRule* rule = nullptr;
    std::set<u8> targets;
    bool full() const { return targets.size() == rule->targets; }
    u8 free_target() const {
      u8 t = 0;
      while (targets.contains(t)) t++;
      return t;
    }
  };
  std::optional<Slot> slot_for(const AdapterRule& rule, std::optional<u8> target) const;

  std::map<Slot, Adapter> adapters_;
  std::vector<Slot> order_;  // adapters as statements named or needed them
  std::map<std::string_view, unsigned> devices_;
  unsigned file_stores_ = 0;
};

Result<void> Allocation::count(const ResourceStatement& s) {
  const AdapterRule& rule = *find_adapter(s.adapter);
  if (++devices_[rule.name] > rule.devices)
    return bad(s.text, fmt::format("a guest has at most {} {} devices", rule.devices, rule.name));
  if (s.storage == "file" && ++file_stores_ > kFileStores)
    return bad(s.text, fmt::format("a guest has at most {} file backing stores", kFileStores));
  return {};
}

Result<void> Allocation::take_named(const ResourceStatement& s) {
  if (!s.address.bus) return {};
  const AdapterRule& rule = *find_adapter(s.adapter);
  if (s.address.target && *s.address.target >= rule.targets)
    return bad(s.text, fmt::format("target '{}' is not a number from 0 to {}", *s.address.target, rule.targets - 1));
  const Slot slot{*s.address.bus, *s.address.slot};
  const auto [it, is_new] = adapters_.try_emplace(slot, Adapter{&rule, {}});
  if (is_new) order_.push_back(slot);
  Adapter& adapter = it->second;
  if (adapter.rule != &rule)
    return bad(s.text, fmt::format("slot {} of bus {} already has an adapter of kind {}", slot.second, slot.first,
                                   adapter.rule->name));
  if (s.address.target && !adapter.targets.insert(*s.address.target).second)
    return bad(s.text, fmt::format("target {} of adapter {},{} is given twice", *s.address.target, slot.first, slot.second));
  return {};
}

/// The first adapter of the kind with room, for `target` if one is named; else the first free slot.
std::optional<Slot> Allocation::slot_for(const AdapterRule& rule, std::optional<u8> target) const {
  for (const Slot& slot : order_) {
    const Adapter& a = adapters_.at(slot);
    if (a.rule == &rule && (target ? !a.targets.contains(*target) : !a.full())) return slot;
  }
  constexpr unsigned kAll = kBuses * kSlots;
  for (unsigned i = 0; i < kAll; i++) {
    const unsigned n = (i + kFirstAdapterSlot) % kAll;
    const Slot slot{static_cast<u8>(n / kSlots), static_cast<u8>(n % kSlots)};
    if (slot != kReservedSlot && !adapters_.contains(slot)) return slot;
  }
  return std::nullopt;
}

Result<void> Allocation::complete(ResourceStatement& s) {
  const AdapterRule& rule = *find_adapter(s.adapter);
  if (!s.address.bus) {
    const auto slot = slot_for(rule, s.address.target);
    if (!slot) return bad(s.text, "no slot is free for one more adapter");
    const auto named = s.address.target;
    s.address = {slot->first, slot->second, named};
    if (auto ok = take_named(s); !ok) return ok;
  }
  if (s.address.target) return {};
  Adapter& adapter = adapters_.at({*s.address.bus, *s.address.slot});
  if (adapter.full()) return bad(s.text, fmt::format("adapter {},{} has no free target", *s.address.bus, *s.address.slot));
  s.address.target = adapter.free_target();
  adapter.targets.insert(*s.address.target);
  return {};
}

}  // namespace

Result<ResourceStatement> parse_resource_statement(std::string_view text) {
  ResourceStatement s;
  s.text = text;
  std::string_view rest = text;
  s.device = cut(rest, ':');
  s.adapter = cut(rest, ':');
  if (s.adapter == "aviostor") s.adapter = "avio_stor";
  const auto address = cut(rest, ':');
  s.storage = cut(rest, ':');
  s.location = rest;
  if (s.device.empty() || s.adapter.empty() || s.storage.empty())
    return bad(text, "expected <device>:<adapter>:[<bus>,<slot>,<target>]:<storage>:<location>");
  if (auto ok = check_supported(s); !ok) return ok.error();
  auto a = parse_address(address, *find_adapter(s.adapter));
  if (!a) return bad(text, a.error().message);
  s.address = *a;
  return s;
}

Result<ResourceStatement> parse_adapter_statement(std::string_view text) {
  ResourceStatement s;
  s.text = text;
  std::string_view rest = text;
  s.device = cut(rest, ':');
  s.adapter = cut(rest, ':');
  if (s.adapter == "aviostor") s.adapter = "avio_stor";
  const AdapterRule* rule = find_adapter(s.adapter);
  if (s.device != "hba" || !rule || rest.find(':') != std::string_view::npos)
    return bad(text, "expected hba:scsi:<bus>,<slot> or hba:avio_stor:<bus>,<slot>");
  auto a = parse_address(rest, *rule);
  if (!a) return bad(text, a.error().message);
  if (!a->bus || a->target) return bad(text, "an adapter's address is <bus>,<slot>");
  s.address = *a;
  return s;
}

std::string format_statement(const ResourceStatement& s) {
  std::string address;
  if (s.address.bus && s.address.slot) address = fmt::format("{},{}", *s.address.bus, *s.address.slot);
  if (s.address.target) address += fmt::format(",{}", *s.address.target);
  if (s.storage.empty()) return fmt::format("{}:{}:{}", s.device, s.adapter, address);
  return fmt::format("{}:{}:{}:{}:{}", s.device, s.adapter, address, s.storage, s.location);
}

Result<DeviceAddress> parse_device_address(std::string_view text) {
  auto a = parse_address(text, *find_adapter("avio_stor"));
  if (!a) return Error{ErrorKind::Invalid, fmt::format("address '{}': {}", text, a.error().message)};
  if (!a->bus || !a->target) return Error{ErrorKind::Invalid, fmt::format("address '{}': expected bus,slot,target", text)};
  return a;
}

Result<void> allocate_addresses(std::vector<ResourceStatement>& statements) {
  Allocation allocation;
  for (const auto& s : statements) {
    if (auto ok = allocation.count(s); !ok) return ok;
    if (auto ok = allocation.take_named(s); !ok) return ok;
  }
  for (auto& s : statements)
    if (auto ok = allocation.complete(s); !ok) return ok;
  return {};
}

}  // namespace ia64::machine
