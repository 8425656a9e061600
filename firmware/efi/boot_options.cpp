// Boot#### variables.
#include "firmware/efi/boot_options.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::firmware {
namespace {

constexpr u32 kVolatile = efi::kVariableBootServiceAccess | efi::kVariableRuntimeAccess;
constexpr u32 kStored = kVolatile | efi::kVariableNonVolatile;

std::span<const u8> bytes_of(const u16& v) {
  return {reinterpret_cast<const u8*>(&v), sizeof v};
}

}  // namespace

std::vector<u8> BootOption::bytes() const {
  const auto path_bytes = path.bytes();
  std::vector<u8> b(6);
  store_le(&b[0], attributes);
  store_le(&b[4], static_cast<u16>(path_bytes.size()));
  for (const char16_t c : description + u'\0')
    b.push_back(static_cast<u8>(c)), b.push_back(static_cast<u8>(c >> 8));
  b.insert(b.end(), path_bytes.begin(), path_bytes.end());
  b.insert(b.end(), optional_data.begin(), optional_data.end());
  return b;
}

std::optional<BootOption> BootOption::parse(u16 number, std::span<const u8> bytes) {
  if (bytes.size() < 8) return {};
  BootOption o;
  o.number = number;
  o.attributes = load_le<u32>(&bytes[0]);
  const size_t path_bytes = load_le<u16>(&bytes[4]);
  size_t at = 6;
  for (;; at += 2) {
    if (at + 2 > bytes.size()) return {};
    const char16_t c = load_le<u16>(&bytes[at]);
    if (c == 0) break;
    o.description += c;
  }
  at += 2;
  if (path_bytes > bytes.size() - at) return {};
  auto path = DevicePath::parse(bytes.subspan(at, path_bytes));
  if (!path) return {};
  o.path = std::move(*path);
  o.optional_data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at + path_bytes), bytes.end());
  return o;
}

std::u16string BootOptions::variable_name(std::u16string_view prefix, u16 number) {
  std::u16string name(prefix);
  for (int shift = 12; shift >= 0; shift -= 4) name += u"0123456789ABCDEF"[number >> shift & 15];
  return name;
}

std::optional<u16> BootOptions::get_u16(std::u16string_view name) const {
  const auto* v = variables_.get({std::u16string(name), guid::kGlobalVariable}, false);
  if (!v || v->data.size() < 2) return {};
  return load_le<u16>(v->data.data());
}

void BootOptions::set_global(std::u16string_view name, u32 attributes, std::span<const u8> data) {
  const VariableStore::Key key{std::u16string(name), guid::kGlobalVariable};
  // Attributes of an existing variable cannot change in place.
  if (const auto* old = variables_.get(key, false); old && (data.empty() || old->attributes != attributes))
    (void)variables_.set(key, old->attributes, {}, false);
  if (!data.empty()) (void)variables_.set(key, attributes, data, false);
}

void BootOptions::set_default(std::u16string_view name, u32 attributes, std::span<const u8> data) {
  if (!variables_.get({std::u16string(name), guid::kGlobalVariable}, false))
    set_global(name, attributes, data);
}

std::vector<u16> BootOptions::order(std::u16string_view prefix) const {
  const auto* v = variables_.get({std::u16string(prefix) + u"Order", guid::kGlobalVariable}, false);
  std::vector<u16> numbers;
  if (v)
    for (size_t i = 0; i + 2 <= v->data.size(); i += 2) numbers.push_back(load_le<u16>(&v->data[i]));
  return numbers;
}

std::optional<BootOption> BootOptions::get(u16 number, std::u16string_view prefix) const {
  const auto* v = variables_.get({variable_name(prefix, number), guid::kGlobalVariable}, false);
  return v ? BootOption::parse(number, v->data) : std::nullopt;
}

std::vector<BootOption> BootOptions::in_order(std::u16string_view prefix) const {
  std::vector<BootOption> options;
  for (const u16 number : order(prefix))
    if (auto o = get(number, prefix)) options.push_back(std::move(*o));
  return options;
}

void BootOptions::set_order(const std::vector<u16>& order) {
  std::vector<u8> bytes;
  for (const u16 n : order) bytes.push_back(static_cast<u8>(n)), bytes.push_back(static_cast<u8>(n >> 8));
  set_global(u"BootOrder", kStored, bytes);
}

std::optional<u16> BootOptions::add(BootOption option) {
  for (u32 n = 0; n < 0x10000; n++) {
    const VariableStore::Key key{variable_name(u"Boot", static_cast<u16>(n)), guid::kGlobalVariable};
    if (variables_.get(key, false)) continue;
    if (efi_error(variables_.set(key, kStored, option.bytes(), false))) return {};
    auto list = order(u"Boot");
    list.push_back(static_cast<u16>(n));
    set_order(list);
    return static_cast<u16>(n);
  }
  return {};
}

void BootOptions::remove(u16 number) {
  set_global(variable_name(u"Boot", number), kStored, {});
  auto list = order(u"Boot");
  std::erase(list, number);
  set_order(list);
  if (next() == number) set_next({});
}

void BootOptions::set_next(std::optional<u16> number) {
  set_global(u"BootNext", kStored, number ? bytes_of(*number) : std::span<const u8>{});
}

void BootOptions::set_current(std::optional<u16> number) {
  set_global(u"BootCurrent", kVolatile, number ? bytes_of(*number) : std::span<const u8>{});
}

void BootOptions::set_timeout(u16 seconds) {
  set_global(u"Timeout", kStored, bytes_of(seconds));
}

}  // namespace ia64::firmware
