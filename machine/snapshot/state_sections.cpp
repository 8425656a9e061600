// Sections to bytes and back.
#include "machine/snapshot/state_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ia64::machine {

namespace {

constexpr char kMagic[8] = {'I', 'V', 'M', 'S', 'T', 'A', 'T', 'E'};
constexpr size_t kHeaderBytes = 16, kSectionHeaderBytes = 12, kMaxName = 256;

template <class T>
void append(std::vector<u8>& out, T v) {
  const size_t at = out.size();
  out.resize(at + sizeof v);
  store_le(&out[at], v);
}

bool printable(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// What a section says of itself may quote bytes of the file; a message stays one printable line.
Error damaged(std::string what) {
  std::replace_if(what.begin(), what.end(), [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return {ErrorKind::Invalid, "the state is damaged: " + std::move(what)};
}

}  // namespace

Result<StateSections> StateSections::parse(std::vector<u8> file) {
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0) return damaged("it has no header");
  if (const u32 format = load_le<u32>(&file[8]); format != kFormat)
    return Error{ErrorKind::Unsupported, fmt::format("the state has format {}; this version of ivm reads format {}", format, kFormat)};
  StateSections out;
  out.loading_ = true;
  std::span<const u8> rest = std::span(file).subspan(kHeaderBytes);
  for (u32 left = load_le<u32>(&file[12]); left; left--) {
    if (rest.size() < kSectionHeaderBytes) return damaged("it is cut short");
    const u64 name_bytes = load_le<u32>(&rest[0]), bytes = load_le<u64>(&rest[4]);
    rest = rest.subspan(kSectionHeaderBytes);
    if (name_bytes > kMaxName || name_bytes > rest.size() || bytes > rest.size() - name_bytes) return damaged("it is cut short");
    Section s{.name = std::string(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(name_bytes)), .bytes = {}};
    const auto content = rest.subspan(name_bytes, bytes);
    s.bytes.assign(content.begin(), content.end());
    rest = rest.subspan(name_bytes + bytes);
    if (!printable(s.name)) return damaged("a section has no readable name");
    if (std::any_of(out.sections_.begin(), out.sections_.end(), [&](const Section& other) { return other.name == s.name; }))
      return damaged(fmt::format("section '{}' is there twice", s.name));
    out.sections_.push_back(std::move(s));
  }
  if (!rest.empty()) return damaged("something follows the last section");
  return out;
}

void StateSections::section(const std::string& name, const std::function<void(StateArchive&)>& visit) {
  if (!loading_) {
    StateArchive archive;
    visit(archive);
    sections_.push_back({name, archive.saved(), true});
    return;
  }
  if (!error_.empty()) return;
  const auto s = std::find_if(sections_.begin(), sections_.end(), [&](const Section& other) { return other.name == name; });
  if (s == sections_.end()) {
    error_ = fmt::format("section '{}' is missing", name);
    return;
  }
  s->used = true;
  StateArchive archive{std::span<const u8>(s->bytes)};
  visit(archive);
  if (!archive.ok())
    error_ = fmt::format("section '{}': {}", name, archive.error());
  else if (archive.left())
    error_ = fmt::format("section '{}' is {} bytes too long", name, archive.left());
}

Result<void> StateSections::finish() const {
  if (!error_.empty()) return damaged(error_);
  for (const Section& s : sections_)
    if (!s.used) return Error{ErrorKind::Unsupported, fmt::format("the state has a section '{}' that this version of ivm does not know", s.name)};
  return {};
}

std::vector<u8> StateSections::serialize() const {
  std::vector<u8> out(std::begin(kMagic), std::end(kMagic));
  append(out, kFormat);
  append(out, static_cast<u32>(sections_.size()));
  for (const Section& s : sections_) {
    append(out, static_cast<u32>(s.name.size()));
    append(out, u64{s.bytes.size()});
    out.insert(out.end(), s.name.begin(), s.name.end());
    out.insert(out.end(), s.bytes.begin(), s.bytes.end());
  }
  return out;
}

std::vector<std::pair<std::string, u64>> StateSections::list() const {
  std::vector<std::pair<std::string, u64>> out;
  for (const Section& s : sections_) out.emplace_back(s.name, s.bytes.size());
  return out;
}

}  // namespace ia64::machine
