// FAT volume: mounting, paths, nodes, entries.
#include "firmware/media/fat_volume.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::firmware::fat {

namespace {

constexpr size_t kCreateTime = 14, kCreateDate = 16, kAccessDate = 18, kWriteTime = 22, kWriteDate = 24;

ShortName dot_name(unsigned dots) {
  ShortName n;
  n.fill(' ');
  std::fill_n(n.begin(), dots, '.');
  return n;
}

}  // namespace

Volume::Volume(BlockMedium& medium, const Geometry& geometry, TimeSource now)
    : medium_(medium),
      geometry_(geometry),
      now_(std::move(now)),
      cache_(medium),
      table_(cache_, geometry_),
      seen_raw_writes_(medium.raw_writes()) {}

std::unique_ptr<Volume> Volume::mount(BlockMedium& medium, TimeSource now) {
  u8 sector[512];
  if (medium.size_bytes() < sizeof sector || efi_error(read_medium_bytes(medium, 0, sizeof sector, sector)))
    return nullptr;
  const auto geometry = parse_boot_sector(std::span<const u8, 512>(sector), medium.size_bytes());
  if (!geometry) return nullptr;
  return std::unique_ptr<Volume>(new Volume(medium, *geometry, std::move(now)));
}

/// Forgets cached structures after somebody wrote blocks past us.
void Volume::revalidate() {
  if (seen_raw_writes_ == medium_.raw_writes()) return;
  seen_raw_writes_ = medium_.raw_writes();
  cache_.forget_all();
  table_.forget();
  for (auto& [key, node] : open_)
    if (const File f = node.lock()) f->cached_cluster = 0;
}

/// Ends a changing operation: whatever it did goes to the medium, also after a failure half-way.
EfiStatus Volume::finish(EfiStatus s) {
  const EfiStatus info = table_.store_info();
  const EfiStatus flushed = cache_.flush();
  return efi_error(s) ? s : efi_error(info) ? info : flushed;
}

EfiStatus Volume::flush() {
  const EfiStatus s = finish(efi::kSuccess);
  return efi_error(s) ? s : medium_.flush();
}

File Volume::root() {
  File r = root_.lock();
  if (!r) {
    r = std::make_shared<Node>();
    r->root = true;
    r->slot.raw[11] = attribute::kDirectory;
    root_ = r;
  }
  return r;
}

File Volume::node_for(u32 directory, const Entry& entry) {
  auto& known = open_[{directory, entry.index}];
  File node = known.lock();
  if (!node) {
    node = std::make_shared<Node>();
    known = node;
    std::erase_if(open_, [](const auto& item) { return item.second.expired(); });
  }
  node->name = entry.name;
  node->directory = directory;
  node->first_index = entry.first_index;
  node->index = entry.index;
  node->slot = entry.slot;
  return node;
}

EfiStatus Volume::child(const File& parent, std::u16string_view name, File& out) {
  Directory d = directory(parent->cluster());
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  Entry entry;
  if (const EfiStatus s = d.find(name, entry); efi_error(s)) return s;
  out = node_for(parent->cluster(), entry);
  return efi::kSuccess;
}

/// The directory that holds `node`, found through ".." and a search of that directory's parent.
EfiStatus Volume::parent_of(const File& node, File& out) {
  if (node->root || node->directory == 0) return out = root(), efi::kSuccess;
  Directory d = directory(node->directory);
  Entry up;
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  if (const EfiStatus s = d.find(u"..", up); efi_error(s)) return s;
  u32 above = up.slot.cluster();
  if (geometry_.root_cluster && above == geometry_.root_cluster) above = 0;
  Directory grand = directory(above);
  if (const EfiStatus s = grand.load(); efi_error(s)) return s;
  Entry entry;
  for (u32 cursor = 0;;) {
    if (const EfiStatus s = grand.next(cursor, entry); efi_error(s))
      return s == efi::kNotFound ? efi::kVolumeCorrupted : s;
    if (entry.slot.is_directory() && entry.slot.cluster() == node->directory && entry.name != u"." &&
        entry.name != u"..")
      break;
  }
  out = node_for(above, entry);
  return efi::kSuccess;
}

/// Resolves all but the last component. `last` is empty when the path names `parent` itself.
EfiStatus Volume::walk(const File& base, std::u16string_view path, File& parent, std::u16string& last) {
  revalidate();
  if (base->deleted) return efi::kNotFound;
  File here = !path.empty() && path[0] == u'\\' ? root() : base;
  if (!here->is_directory())
    if (const EfiStatus s = parent_of(here, here); efi_error(s)) return s;
  last.clear();
  while (!path.empty()) {
    const size_t cut = std::min(path.find(u'\\'), path.size());
    const std::u16string_view part = path.substr(0, cut);
    path.remove_prefix(std::min(cut + 1, path.size()));
    if (part.empty() || part == u".") continue;
    if (!last.empty()) {
      if (const EfiStatus s = child(here, last, here); efi_error(s)) return s;
      if (!here->is_directory()) return efi::kNotFound;
      last.clear();
    }
    if (part == u"..") {
      if (const EfiStatus s = parent_of(here, here); efi_error(s)) return s;
    } else {
      last = part;
    }
  }
  parent = here;
  return efi::kSuccess;
}

EfiStatus Volume::open(const File& base, std::u16string_view path, File& out) {
  File parent;
  std::u16string last;
  // A path that is empty names the file it starts from.
  if (path.empty()) return base->deleted ? efi::kNotFound : (out = base, efi::kSuccess);
  if (const EfiStatus s = walk(base, path, parent, last); efi_error(s)) return s;
  if (last.empty()) return out = parent, efi::kSuccess;
  return child(parent, last, out);
}

EfiStatus Volume::create(const File& base, std::u16string_view path, u8 attributes, File& out) {
  File parent;
  std::u16string last;
  if (const EfiStatus s = walk(base, path, parent, last); efi_error(s)) return s;
  const bool wants_directory = attributes & attribute::kDirectory;
  const EfiStatus found = last.empty() ? (out = parent, efi::kSuccess) : child(parent, last, out);
  if (!efi_error(found)) return out->is_directory() == wants_directory ? efi::kSuccess : efi::kAccessDenied;
  if (found != efi::kNotFound) return found;
  if (read_only()) return efi::kWriteProtected;
  if (!is_valid_name(last)) return efi::kInvalidParameter;
  return finish(create_entry(parent, last, attributes, out));
}

void Volume::stamp(Slot& slot, bool created) {
  const Stamp now = to_stamp(firmware::to_efi_time(now_(), 0));
  store_le(slot.raw + kWriteTime, now.time), store_le(slot.raw + kWriteDate, now.date);
  store_le(slot.raw + kAccessDate, now.date);
  if (created) store_le(slot.raw + kCreateTime, now.time), store_le(slot.raw + kCreateDate, now.date);
}

EfiStatus Volume::make_directory_cluster(u32 parent, u32& cluster) {
  if (const EfiStatus s = table_.allocate(0, cluster); efi_error(s)) return s;
  std::vector<u8> bytes(geometry_.cluster_bytes);
  for (unsigned n = 0; n < 2; n++) {
    Slot dots;
    dots.set_name(dot_name(n + 1));
    dots.raw[11] = attribute::kDirectory;
    dots.set_cluster(n == 0 ? cluster : parent);
    stamp(dots, true);
    std::copy_n(dots.raw, kSlotBytes, bytes.begin() + n * kSlotBytes);
  }
  return cache_.write(geometry_.cluster_offset(cluster), bytes.size(), bytes.data());
}

EfiStatus Volume::create_entry(const File& parent, std::u16string_view name, u8 attributes, File& out) {
  Slot slot;
  constexpr u8 kSettable = attribute::kReadOnly | attribute::kHidden | attribute::kSystem |
                           attribute::kArchive | attribute::kDirectory;
  slot.raw[11] = attributes & kSettable;
  stamp(slot, true);
  u32 cluster = 0;
  if (slot.is_directory()) {
    if (const EfiStatus s = make_directory_cluster(parent->cluster(), cluster); efi_error(s)) return s;
    slot.set_cluster(cluster);
  }
  Directory d = directory(parent->cluster());
  EfiStatus s = d.load();
  Entry entry;
  if (!efi_error(s)) s = d.add(name, slot, entry);
  if (efi_error(s)) {
    if (cluster) (void)table_.free_chain(cluster);
    return s;
  }
  out = node_for(parent->cluster(), entry);
  return s;
}

EfiStatus Volume::store(const File& file) {
  if (file->root) return efi::kSuccess;
  Directory d = directory(file->directory);
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  return d.write_slot(file->index, file->slot);
}

EfiStatus Volume::update_slot(const File& file, const Slot& slot) {
  revalidate();
  if (file->deleted) return efi::kDeviceError;
  if (file->root) return efi::kAccessDenied;
  if (read_only()) return efi::kWriteProtected;
  constexpr u8 kKept = attribute::kDirectory | attribute::kVolumeLabel;
  const u8 kept = file->slot.attributes() & kKept;
  const u32 cluster = file->slot.cluster();
  const u32 size = file->slot.size();
  const ShortName name = file->slot.name();
  const u8 case_flags = file->slot.raw[12];
  file->slot = slot;
  file->slot.raw[11] = static_cast<u8>((slot.raw[11] & ~kKept & 0x3f) | kept);
  file->slot.raw[12] = case_flags;
  std::copy(name.begin(), name.end(), file->slot.raw);
  file->slot.set_cluster(cluster);
  file->slot.set_size(size);
  return finish(store(file));
}

EfiStatus Volume::remove(const File& file) {
  revalidate();
  if (file->deleted) return efi::kNotFound;
  if (read_only()) return efi::kWriteProtected;
  if (file->root) return efi::kAccessDenied;
  if (file->slot.attributes() & attribute::kReadOnly) return efi::kAccessDenied;
  if (file->is_directory()) {
    Directory own = directory(file->cluster());
    bool empty = false;
    if (file->cluster() == 0) return efi::kVolumeCorrupted;  // would be the root directory
    if (const EfiStatus s = own.load(); efi_error(s)) return s;
    if (const EfiStatus s = own.is_empty(empty); efi_error(s)) return s;
    if (!empty) return efi::kAccessDenied;
  }
  Directory d = directory(file->directory);
  EfiStatus s = d.load();
  if (!efi_error(s)) s = d.remove({file->name, file->slot, file->first_index, file->index});
  if (!efi_error(s)) {
    file->deleted = true;
    open_.erase({file->directory, file->index});
    s = table_.free_chain(file->cluster());
  }
  return finish(s);
}

EfiStatus Volume::is_inside(const File& node, const File& directory_node, bool& inside) {
  File here = directory_node;
  inside = false;
  for (unsigned depth = 0; depth < 1024; depth++) {
    if (here == node) return inside = true, efi::kSuccess;
    if (here->root) return efi::kSuccess;
    if (const EfiStatus s = parent_of(here, here); efi_error(s)) return s;
  }
  return efi::kVolumeCorrupted;
}

EfiStatus Volume::rename(const File& file, std::u16string_view path) {
  revalidate();
  if (file->deleted) return efi::kNotFound;
  if (read_only()) return efi::kWriteProtected;
  if (file->root) return efi::kAccessDenied;
  File parent, target;
  std::u16string last;
  if (const EfiStatus s = parent_of(file, parent); efi_error(s)) return s;
  if (const EfiStatus s = walk(parent, path, parent, last); efi_error(s)) return s;
  if (!is_valid_name(last)) return efi::kInvalidParameter;
  const EfiStatus existing = child(parent, last, target);
  if (!efi_error(existing) && target != file) return efi::kAccessDenied;
  if (efi_error(existing) && existing != efi::kNotFound) return existing;
  bool inside = false;
  if (file->is_directory())
    if (const EfiStatus s = is_inside(file, parent, inside); efi_error(s)) return s;
  if (inside) return efi::kAccessDenied;

  const u32 old_directory = file->directory, new_directory = parent->cluster();
  const Entry old{file->name, file->slot, file->first_index, file->index};
  Directory from = directory(old_directory);
  EfiStatus s = from.load();
  if (!efi_error(s)) s = from.remove(old);
  Directory to = directory(new_directory);
  if (!efi_error(s)) s = to.load();
  Entry entry;
  if (!efi_error(s)) s = to.add(last, file->slot, entry);
  if (efi_error(s)) {  // put the old entry back: its slots are still free
    Entry restored;
    if (!efi_error(from.add(old.name, old.slot, restored))) {
      open_.erase({old_directory, old.index});
      file->first_index = restored.first_index, file->index = restored.index, file->slot = restored.slot;
      open_[{old_directory, restored.index}] = file;
    }
    return finish(s);
  }
  open_.erase({old_directory, old.index});
  file->name = entry.name, file->slot = entry.slot;
  file->directory = new_directory, file->first_index = entry.first_index, file->index = entry.index;
  open_[{new_directory, entry.index}] = file;
  if (file->is_directory() && new_directory != old_directory) {
    Directory own = directory(file->cluster());
    Entry up;
    s = own.load();
    if (!efi_error(s)) s = own.find(u"..", up);
    if (!efi_error(s)) up.slot.set_cluster(new_directory), s = own.write_slot(up.index, up.slot);
  }
  return finish(s);
}

EfiStatus Volume::next_entry(const File& node, u32& cursor, Entry& entry) {
  revalidate();
  if (node->deleted) return efi::kDeviceError;
  Directory d = directory(node->cluster());
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  return d.next(cursor, entry);
}

EfiStatus Volume::label(std::u16string& text) {
  revalidate();
  text.clear();
  Directory d = directory(0);
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  Entry entry;
  u32 cursor = 0;
  const EfiStatus s = d.next(cursor, entry, true);
  if (s == efi::kNotFound) return efi::kSuccess;
  if (efi_error(s)) return s;
  // Eleven characters without a dot.
  const ShortName n = entry.slot.name();
  for (const u8 c : n) text.push_back(c);
  text.erase(text.find_last_not_of(u' ') + 1);
  return efi::kSuccess;
}

/// Copies of the label that boot sectors carry, where the sector has the extended fields.
EfiStatus Volume::store_boot_label(const ShortName& name) {
  const bool fat32 = geometry_.bits == 32;
  const u64 signature_at = fat32 ? 66 : 38, label_at = fat32 ? 71 : 43;
  u64 sectors[2] = {0, 0};
  u8 backup[2];
  if (const EfiStatus s = cache_.read(50, sizeof backup, backup); efi_error(s)) return s;
  const u16 backup_sector = load_le<u16>(backup);
  if (fat32 && u64{backup_sector} * geometry_.sector_bytes < geometry_.table_offset)
    sectors[1] = u64{backup_sector} * geometry_.sector_bytes;
  for (const u64 at : sectors) {
    u8 signature = 0;
    if (const EfiStatus s = cache_.read(at + signature_at, 1, &signature); efi_error(s)) return s;
    if (signature != 0x29) continue;
    if (const EfiStatus s = cache_.write(at + label_at, name.size(), name.data()); efi_error(s)) return s;
  }
  return efi::kSuccess;
}

EfiStatus Volume::set_label(std::u16string_view text) {
  revalidate();
  if (read_only()) return efi::kWriteProtected;
  ShortName name;
  name.fill(' ');
  if (text.size() > name.size()) return efi::kInvalidParameter;
  for (size_t i = 0; i < text.size(); i++) {
    const char16_t c = text[i];
    if (c < 0x20 || c > 0x7e ||
        std::u16string_view(u"\"*+,./:;<=>?[\\]|").find(c) != std::u16string_view::npos)
      return efi::kInvalidParameter;
    name[i] = static_cast<u8>(c >= u'a' && c <= u'z' ? c - 0x20 : c);
  }
  Directory d = directory(0);
  if (const EfiStatus s = d.load(); efi_error(s)) return s;
  Entry entry;
  u32 cursor = 0, index = 0;
  EfiStatus s = d.next(cursor, entry, true);
  if (efi_error(s) && s != efi::kNotFound) return s;
  const bool exists = s != efi::kNotFound;
  if (s = store_boot_label(text.empty() ? ShortName{'N', 'O', ' ', 'N', 'A', 'M', 'E', ' ', ' ', ' ', ' '}
                                        : name);
      efi_error(s))
    return s;
  if (text.empty()) return finish(exists ? d.remove(entry) : efi::kSuccess);
  Slot slot = exists ? entry.slot : Slot{};
  slot.set_name(name);
  slot.raw[11] = attribute::kVolumeLabel;
  stamp(slot, !exists);
  return finish(exists ? d.write_slot(entry.index, slot) : d.add_raw(slot, index));
}

EfiStatus Volume::free_bytes(u64& bytes) {
  revalidate();
  u32 count = 0;
  const EfiStatus s = table_.free_clusters(count);
  bytes = u64{count} * geometry_.cluster_bytes;
  return s;
}

}  // namespace ia64::firmware::fat
