// Parser and address allocation for storage resource statements.
#include "machine/resource_statement.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>
#include <tuple>

namespace ia64::machine {
namespace {

constexpr unsigned kBuses = 8, kSlots = 8, kAvioTargets = 128;
constexpr u8 kFirstAdapterSlot = 2;

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
constexpr std::array<NumberRule, 3> kNumbers{{{"bus", kBuses}, {"slot", kSlots}, {"target", kAvioTargets}}};

Result<std::optional<u8>> parse_number(std::string_view text, const NumberRule& rule) {
  if (text.empty()) return std::optional<u8>{};
  unsigned v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size() || v >= rule.limit)
    return Error{ErrorKind::Invalid,
                 fmt::format("{} '{}' is not a number from 0 to {}", rule.name, text, rule.limit - 1)};
  return std::optional<u8>{static_cast<u8>(v)};
}

Result<DeviceAddress> parse_address(std::string_view text) {
  DeviceAddress a;
  std::array<std::optional<u8>*, 3> fields{&a.bus, &a.slot, &a.target};
  for (size_t i = 0; i < fields.size(); i++) {
    auto n = parse_number(cut(text, ','), kNumbers[i]);
    if (!n) return n.error();
    *fields[i] = *n;
  }
  if (!text.empty()) return Error{ErrorKind::Invalid, "the address has more than bus,slot,target"};
  if (a.bus.has_value() != a.slot.has_value())
    return Error{ErrorKind::Invalid, "bus and slot are given together or not at all"};
  return a;
}

Result<void> check_supported(const ResourceStatement& s) {
  if (s.device != "disk")
    return bad(s.text, fmt::format("device '{}' is not supported; use disk", s.device), ErrorKind::Unsupported);
  if (s.adapter != "avio_stor")
    return bad(s.text, fmt::format("adapter '{}' is not supported; use avio_stor", s.adapter), ErrorKind::Unsupported);
  if (s.storage != "file")
    return bad(s.text, fmt::format("storage '{}' is not supported; use file", s.storage), ErrorKind::Unsupported);
  if (s.location.empty()) return bad(s.text, "the path after 'file:' is empty");
  return {};
}

using Adapter = std::pair<u8, u8>;

/// The adapter that takes devices without an address: the first one named, else bus 0 slot 2.
Adapter default_adapter(const std::vector<ResourceStatement>& statements) {
  for (const auto& s : statements)
    if (s.address.bus) return {*s.address.bus, *s.address.slot};
  return {0, kFirstAdapterSlot};
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
  auto a = parse_address(address);
  if (!a) return bad(text, a.error().message);
  s.address = *a;
  return s;
}

Result<void> allocate_addresses(std::vector<ResourceStatement>& statements) {
  const Adapter fallback = default_adapter(statements);
  std::set<std::tuple<u8, u8, u8>> used;
  for (auto& s : statements) {
    if (!s.address.bus) s.address.bus = fallback.first, s.address.slot = fallback.second;
    if (s.address.target && !used.emplace(*s.address.bus, *s.address.slot, *s.address.target).second)
      return bad(s.text, fmt::format("target {} of adapter {},{} is given twice", *s.address.target, *s.address.bus,
                                     *s.address.slot));
  }
  for (auto& s : statements) {
    unsigned t = 0;
    while (!s.address.target) {
      if (t == kAvioTargets)
        return bad(s.text, fmt::format("adapter {},{} has no free target", *s.address.bus, *s.address.slot));
      if (used.emplace(*s.address.bus, *s.address.slot, static_cast<u8>(t)).second) s.address.target = static_cast<u8>(t);
      t++;
    }
  }
  return {};
}

}  // namespace ia64::machine
