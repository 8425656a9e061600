// EFI variable store and its NVRAM image.
#include "firmware/efi/variables.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/endian.h"
#include "firmware/efi/crc32.h"

namespace ia64::firmware {
namespace {

// Image: 8 bytes magic, u32 version, u32 CRC of what follows the header, u64 bytes of it, u32 count, u32
// zero; then for each variable u32 attributes, u32 name bytes, u32 data bytes, 16 bytes GUID, name (UTF-16LE,
// no NUL), data.
constexpr u8 kMagic[8] = {'I', 'V', 'M', 'N', 'V', 'R', 'A', 'M'};
constexpr u32 kVersion = 1;
constexpr size_t kHeaderBytes = 32, kEntryBytes = 28;
constexpr u32 kAccess = efi::kVariableBootServiceAccess | efi::kVariableRuntimeAccess;
constexpr u32 kKnownAttributes = kAccess | efi::kVariableNonVolatile;

template <class T>
void append(std::vector<u8>& out, const T& v) {
  const auto* p = reinterpret_cast<const u8*>(&v);
  out.insert(out.end(), p, p + sizeof v);
}

bool visible(const VariableStore::Variable& v, bool runtime) {
  return !runtime || (v.attributes & efi::kVariableRuntimeAccess);
}

Error corrupt(const std::string& why) {
  return {ErrorKind::Invalid, "NVRAM image is not usable: " + why};
}

}  // namespace

const VariableStore::Variable* VariableStore::get(const Key& key, bool runtime) const {
  const auto it = variables_.find(key);
  return it != variables_.end() && visible(it->second, runtime) ? &it->second : nullptr;
}

u64 VariableStore::used_bytes() const {
  u64 n = 0;
  for (const auto& [key, v] : variables_) n += kEntryBytes + key.name.size() * 2 + v.data.size();
  return n;
}

EfiStatus VariableStore::set(const Key& key, u32 attributes, std::span<const u8> data, bool runtime) {
  if (key.name.empty() || (attributes & ~kKnownAttributes)) return efi::kInvalidParameter;
  if ((attributes & efi::kVariableRuntimeAccess) && !(attributes & efi::kVariableBootServiceAccess))
    return efi::kInvalidParameter;
  const auto old = variables_.find(key);
  const bool known = old != variables_.end() && visible(old->second, runtime);
  if (data.empty() || !(attributes & kAccess)) {
    if (!known) return efi::kNotFound;
    if (runtime && !(old->second.attributes & efi::kVariableNonVolatile)) return efi::kInvalidParameter;
    dirty_ |= (old->second.attributes & efi::kVariableNonVolatile) != 0;
    variables_.erase(old);
    return efi::kSuccess;
  }
  // At runtime only variables that last and that the OS can see again may be written.
  if (runtime && (attributes & (efi::kVariableRuntimeAccess | efi::kVariableNonVolatile)) !=
                     (efi::kVariableRuntimeAccess | efi::kVariableNonVolatile))
    return efi::kInvalidParameter;
  if (old != variables_.end() && !known) return efi::kInvalidParameter;
  if (known && old->second.attributes != attributes) return efi::kInvalidParameter;
  if (data.size() > kMaxDataBytes) return efi::kOutOfResources;
  const u64 freed = known ? old->second.data.size() : 0;
  const u64 needed = data.size() + (known ? 0 : kEntryBytes + key.name.size() * 2);
  if (used_bytes() - freed + needed > kQuotaBytes) return efi::kOutOfResources;
  Variable v{attributes, {data.begin(), data.end()}};
  if (known && old->second == v) return efi::kSuccess;
  variables_[key] = std::move(v);
  dirty_ |= (attributes & efi::kVariableNonVolatile) != 0;
  return efi::kSuccess;
}

EfiStatus VariableStore::next(Key& key, bool runtime) const {
  auto it = variables_.begin();
  if (!key.name.empty()) {
    it = variables_.find(key);
    if (it == variables_.end()) return efi::kInvalidParameter;
    ++it;
  }
  while (it != variables_.end() && !visible(it->second, runtime)) ++it;
  if (it == variables_.end()) return efi::kNotFound;
  key = it->first;
  return efi::kSuccess;
}

bool VariableStore::take_dirty() {
  return std::exchange(dirty_, false);
}

void VariableStore::forget_volatile() {
  std::erase_if(variables_, [](const auto& v) { return !(v.second.attributes & efi::kVariableNonVolatile); });
}

std::vector<u8> VariableStore::save() const {
  std::vector<u8> body;
  u32 count = 0;
  for (const auto& [key, v] : variables_) {
    if (!(v.attributes & efi::kVariableNonVolatile)) continue;
    append(body, v.attributes);
    append(body, static_cast<u32>(key.name.size() * 2));
    append(body, static_cast<u32>(v.data.size()));
    append(body, key.vendor);
    for (const char16_t c : key.name) append(body, c);
    body.insert(body.end(), v.data.begin(), v.data.end());
    count++;
  }
  std::vector<u8> image;
  append(image, kMagic);
  append(image, kVersion);
  append(image, crc32(body));
  append(image, u64{body.size()});
  append(image, count);
  append(image, u32{0});
  image.insert(image.end(), body.begin(), body.end());
  return image;
}

Result<void> VariableStore::load(std::span<const u8> image) {
  variables_.clear();
  dirty_ = false;
  if (image.size() < kHeaderBytes || std::memcmp(image.data(), kMagic, sizeof kMagic))
    return corrupt("no header");
  const u32 version = load_le<u32>(&image[8]);
  if (version != kVersion) return corrupt(fmt::format("version {} is not known", version));
  const auto body = image.subspan(kHeaderBytes);
  if (load_le<u64>(&image[16]) != body.size()) return corrupt("wrong length");
  if (crc32(body) != load_le<u32>(&image[12])) return corrupt("wrong checksum");
  size_t at = 0;
  for (u32 left = load_le<u32>(&image[24]); left; left--) {
    if (body.size() - at < kEntryBytes) return variables_.clear(), corrupt("entry cut off");
    const u32 attributes = load_le<u32>(&body[at]), name_bytes = load_le<u32>(&body[at + 4]),
              data_bytes = load_le<u32>(&body[at + 8]);
    Key key{{}, load_le<Guid>(&body[at + 12])};
    at += kEntryBytes;
    if (name_bytes % 2 || u64{name_bytes} + data_bytes > body.size() - at)
      return variables_.clear(), corrupt("entry cut off");
    for (u32 i = 0; i < name_bytes; i += 2) key.name += static_cast<char16_t>(load_le<u16>(&body[at + i]));
    at += name_bytes;
    variables_[key] = {attributes,
                       {body.begin() + static_cast<std::ptrdiff_t>(at),
                        body.begin() + static_cast<std::ptrdiff_t>(at + data_bytes)}};
    at += data_bytes;
  }
  return {};
}

}  // namespace ia64::firmware
