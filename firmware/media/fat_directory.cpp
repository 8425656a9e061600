// Directory slots and long names. @source Microsoft FAT specification 1.03, "Directory Structure", "Long
// Directory Entries"
#include "firmware/media/fat_directory.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"

namespace ia64::firmware::fat {

namespace {

constexpr u8 kFree = 0xe5, kEnd = 0x00, kLastLong = 0x40;
constexpr unsigned kCharactersPerSlot = 13, kMaxLongSlots = 20;
constexpr u8 kCharacterOffsets[kCharactersPerSlot] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

bool is_long(const Slot& s) {
  return (s.attributes() & 0x3f) == attribute::kLongName;
}

/// Collects long entries until the 8.3 entry they belong to arrives.
class LongName {
 public:
  void feed(const Slot& s, u32 index) {
    const u8 order = s.raw[0];
    const unsigned n = order & 0x3f;
    if (n == 0 || n > kMaxLongSlots) return reset();
    if (order & kLastLong) {
      text_.assign(n * kCharactersPerSlot, u'\0');
      expected_ = n, sum_ = s.raw[13], first_ = index;
    } else if (n != expected_ || s.raw[13] != sum_) {
      return reset();
    }
    for (unsigned i = 0; i < kCharactersPerSlot; i++)
      text_[(n - 1) * kCharactersPerSlot + i] =
          static_cast<char16_t>(load_le<u16>(s.raw + kCharacterOffsets[i]));
    expected_ = n - 1;
  }
  bool complete_for(const ShortName& name) const {
    return !text_.empty() && expected_ == 0 && sum_ == checksum(name);
  }
  std::u16string text() const { return text_.substr(0, text_.find(u'\0')); }
  u32 first() const { return first_; }
  void reset() { text_.clear(), expected_ = 0; }

 private:
  std::u16string text_;
  unsigned expected_ = 0;
  u8 sum_ = 0;
  u32 first_ = 0;
};

Slot long_slot(std::u16string_view name, unsigned order, bool last, u8 sum) {
  Slot s;
  s.raw[0] = static_cast<u8>(order | (last ? kLastLong : 0));
  s.raw[11] = attribute::kLongName;
  s.raw[13] = sum;
  for (unsigned i = 0; i < kCharactersPerSlot; i++) {
    const size_t at = (order - 1) * kCharactersPerSlot + i;
    const u16 c = at < name.size() ? name[at] : at == name.size() ? 0 : 0xffff;
    store_le(s.raw + kCharacterOffsets[i], c);
  }
  return s;
}

}  // namespace

ShortName Slot::name() const {
  ShortName n;
  std::copy_n(raw, n.size(), n.begin());
  return n;
}
void Slot::set_name(const ShortName& n) {
  std::copy(n.begin(), n.end(), raw);
  if (raw[0] == kFree) raw[0] = 0x05;
}
u32 Slot::cluster() const {
  return u32{load_le<u16>(raw + 20)} << 16 | load_le<u16>(raw + 26);
}
void Slot::set_cluster(u32 c) {
  store_le(raw + 20, static_cast<u16>(c >> 16));
  store_le(raw + 26, static_cast<u16>(c));
}
u32 Slot::size() const {
  return load_le<u32>(raw + 28);
}
void Slot::set_size(u32 s) {
  store_le(raw + 28, s);
}

Directory::Directory(PageCache& cache, Table& table, const Geometry& geometry, u32 first_cluster)
    : cache_(cache), table_(table), geometry_(geometry), first_cluster_(first_cluster) {}

EfiStatus Directory::load() {
  u32 cluster = first_cluster_ ? first_cluster_ : geometry_.root_cluster;
  if (cluster == 0) {
    slots_ = geometry_.root_slots;
    return efi::kSuccess;
  }
  const u32 per_cluster = static_cast<u32>(geometry_.cluster_bytes / kSlotBytes);
  while (cluster && slots_ < kMaxSlots) {
    if (!geometry_.valid(cluster)) return efi::kVolumeCorrupted;
    chain_.push_back(cluster);
    slots_ += per_cluster;
    if (const EfiStatus s = table_.next(cluster, cluster); efi_error(s)) return s;
  }
  return efi::kSuccess;
}

u64 Directory::offset_of(u32 index) const {
  const u64 at = u64{index} * kSlotBytes;
  if (chain_.empty()) return geometry_.root_offset + at;
  return geometry_.cluster_offset(chain_[at / geometry_.cluster_bytes]) + at % geometry_.cluster_bytes;
}

EfiStatus Directory::read_slot(u32 index, Slot& slot) {
  if (index >= slots_) return efi::kNotFound;
  return cache_.read(offset_of(index), kSlotBytes, slot.raw);
}

EfiStatus Directory::write_slot(u32 index, const Slot& slot) {
  if (index >= slots_) return efi::kVolumeCorrupted;
  return cache_.write(offset_of(index), kSlotBytes, slot.raw);
}

EfiStatus Directory::next(u32& cursor, Entry& entry, bool labels) {
  LongName long_name;
  for (; cursor < slots_; cursor++) {
    if (const EfiStatus s = read_slot(cursor, entry.slot); efi_error(s)) return s;
    const Slot& slot = entry.slot;
    if (slot.raw[0] == kEnd) return efi::kNotFound;
    if (slot.raw[0] == kFree) {
      long_name.reset();
    } else if (is_long(slot)) {
      long_name.feed(slot, cursor);
    } else if (bool(slot.attributes() & attribute::kVolumeLabel) != labels) {
      long_name.reset();
    } else {
      if (geometry_.bits != 32) store_le(entry.slot.raw + 20, u16{0});  // not a cluster number there
      const bool has_long = long_name.complete_for(slot.name());
      entry.name = has_long ? long_name.text() : to_text(slot.name(), slot.raw[12]);
      entry.first_index = has_long ? long_name.first() : cursor;
      entry.index = cursor++;
      return efi::kSuccess;
    }
  }
  return efi::kNotFound;
}

EfiStatus Directory::find(std::u16string_view name, Entry& entry) {
  for (u32 cursor = 0;;) {
    if (const EfiStatus s = next(cursor, entry); efi_error(s)) return s;
    if (same_name(entry.name, name) || same_name(to_text(entry.slot.name(), 0), name)) return efi::kSuccess;
  }
}

EfiStatus Directory::collect_short_names(std::set<ShortName>& names) {
  Entry e;
  for (u32 cursor = 0;;) {
    const EfiStatus s = next(cursor, e);
    if (s == efi::kNotFound) return efi::kSuccess;
    if (efi_error(s)) return s;
    names.insert(e.slot.name());
  }
}

EfiStatus Directory::choose_short_name(std::u16string_view name, Slot& slot, bool& needs_long) {
  std::set<ShortName> taken;
  if (const EfiStatus s = collect_short_names(taken); efi_error(s)) return s;
  ShortName candidate;
  u8 case_flags = 0;
  needs_long = !to_short_name(name, candidate, case_flags) || taken.count(candidate);
  slot.raw[12] = needs_long ? 0 : case_flags;
  if (needs_long) {
    u32 n = 1;
    while (taken.count(candidate = make_alias(name, n))) n++;  // ends: a directory holds at most 65536 names
  }
  slot.set_name(candidate);
  return efi::kSuccess;
}

EfiStatus Directory::extend() {
  if (chain_.empty() || slots_ >= kMaxSlots) return efi::kVolumeFull;
  u32 cluster = 0;
  if (const EfiStatus s = table_.allocate(chain_.back(), cluster); efi_error(s)) return s;
  const std::vector<u8> zeros(geometry_.cluster_bytes);
  if (const EfiStatus s = cache_.write(geometry_.cluster_offset(cluster), zeros.size(), zeros.data());
      efi_error(s))
    return s;
  chain_.push_back(cluster);
  slots_ += static_cast<u32>(geometry_.cluster_bytes / kSlotBytes);
  return efi::kSuccess;
}

EfiStatus Directory::find_free(u32 count, u32& first) {
  u32 run = 0;
  bool past_end = false;
  for (u32 i = 0;; i++) {
    if (i == slots_)
      if (const EfiStatus s = extend(); efi_error(s)) return s;
    Slot slot;
    if (const EfiStatus s = read_slot(i, slot); efi_error(s)) return s;
    past_end = past_end || slot.raw[0] == kEnd;
    run = past_end || slot.raw[0] == kFree ? run + 1 : 0;
    if (run == count) {
      first = i + 1 - count;
      if (!past_end) return efi::kSuccess;
      // What lay behind the end mark may be rubbish: move the mark.
      if (i + 1 < slots_) return write_slot(i + 1, Slot{});
      return efi::kSuccess;
    }
  }
}

EfiStatus Directory::add_raw(const Slot& slot, u32& index) {
  if (const EfiStatus s = find_free(1, index); efi_error(s)) return s;
  return write_slot(index, slot);
}

EfiStatus Directory::add(std::u16string_view name, Slot slot, Entry& entry) {
  bool needs_long = false;
  if (const EfiStatus s = choose_short_name(name, slot, needs_long); efi_error(s)) return s;
  const u32 long_slots =
      needs_long ? static_cast<u32>((name.size() + kCharactersPerSlot - 1) / kCharactersPerSlot) : 0;
  u32 first = 0;
  if (const EfiStatus s = find_free(long_slots + 1, first); efi_error(s)) return s;
  const u8 sum = checksum(slot.name());
  for (u32 i = 0; i < long_slots; i++) {
    const u32 order = long_slots - i;
    if (const EfiStatus s = write_slot(first + i, long_slot(name, order, i == 0, sum)); efi_error(s))
      return s;
  }
  if (const EfiStatus s = write_slot(first + long_slots, slot); efi_error(s)) return s;
  entry = {needs_long ? std::u16string(name) : to_text(slot.name(), slot.raw[12]), slot, first,
           first + long_slots};
  return efi::kSuccess;
}

EfiStatus Directory::remove(const Entry& entry) {
  for (u32 i = entry.first_index; i <= entry.index; i++) {
    Slot slot;
    if (const EfiStatus s = read_slot(i, slot); efi_error(s)) return s;
    slot.raw[0] = kFree;
    if (const EfiStatus s = write_slot(i, slot); efi_error(s)) return s;
  }
  return efi::kSuccess;
}

EfiStatus Directory::is_empty(bool& empty) {
  Entry e;
  for (u32 cursor = 0;;) {
    const EfiStatus s = next(cursor, e);
    empty = s == efi::kNotFound;
    if (empty) return efi::kSuccess;
    if (efi_error(s)) return s;
    if (e.name != u"." && e.name != u"..") return efi::kSuccess;
  }
}

}  // namespace ia64::firmware::fat
