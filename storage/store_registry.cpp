// One row per word of a store specification.
#include "storage/store_registry.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "storage/formats/overlay_image.h"
#include "storage/formats/qcow2_image.h"
#include "storage/formats/unit_store.h"
#include "storage/formats/vhd_image.h"
#include "storage/lvm/lv_store.h"
#include "storage/stores/file_store.h"
#include "storage/stores/nbd_store.h"
#include "storage/stores/null_store.h"
#include "storage/wrappers/delay.h"
#include "storage/wrappers/fault_injecting.h"
#include "storage/wrappers/read_only.h"

namespace ia64::storage {

namespace {

namespace fs = std::filesystem;
using Opened = Result<std::unique_ptr<BlockStore>>;

/// What words further out ask of the stores below.
struct Context {
  FileOptions file;
  unsigned depth = 0;
  std::string overlay_copy = {};  ///< for the outermost overlay
};

Opened open_at(std::string_view spec, Context context);

Error needs(const char* what) {
  return {ErrorKind::Invalid, what};
}

template <class T>
Opened opened(Result<std::unique_ptr<T>> store) {
  if (!store) return store.error();
  return std::unique_ptr<BlockStore>(std::move(*store));
}

// --- stores
Opened open_file(std::string_view rest, Context context) {
  if (rest.empty()) return needs("file: needs a path");
  return FileStore::open(std::string(rest), context.file);
}

Opened open_disk(std::string_view rest, Context context) {
  if (rest.empty()) return needs("disk: needs the path of a block device");
  context.file.device_only = true;
  return FileStore::open(std::string(rest), context.file);
}

/// A path, or a specification when the first word is one.
std::string as_spec(std::string_view text) {
  const auto colon = text.find(':');
  const bool spec = colon != std::string_view::npos && known_store_kind(text.substr(0, colon));
  return spec ? std::string(text) : fmt::format("file:{}", text);
}

// lv:/dev/vg/lv is a node of the device mapper; lv:DISK[,DISK...]#vg/lv is read from the metadata on the disks.
Opened open_lv(std::string_view rest, Context context) {
  const auto hash = rest.rfind('#');
  if (rest.empty() || hash == 0) return needs("lv: needs the node of a logical volume, or DISK#vg/lv");
  if (hash == std::string_view::npos) return open_disk(rest, context);
  std::vector<std::unique_ptr<BlockStore>> volumes;
  for (std::string_view list = rest.substr(0, hash); !list.empty();) {
    const auto comma = list.find(',');
    auto volume = open_at(as_spec(list.substr(0, comma)), context);
    if (!volume) return volume.error();
    volumes.push_back(std::move(*volume));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return LvStore::open(std::string(rest.substr(hash + 1)), std::move(volumes));
}

Opened open_null(std::string_view rest, Context) {
  const auto size = parse_size(rest);
  if (!size) return size.error();
  return std::unique_ptr<BlockStore>(std::make_unique<NullStore>(*size));
}

Opened open_nbd_uri(std::string_view rest, Context context) {
  if (rest.empty()) return needs("nbd: needs a URI such as nbd://host/export");
  return open_nbd(std::string(rest), context.file.read_only);
}

// --- formats
std::string beside(std::string_view file, const std::string& name) {
  return fs::path(name).is_absolute() ? name : (fs::path(file).parent_path() / name).string();
}

/// The store below an image, always a reader. Names in an image are relative to the image.
Opened open_backing(std::string_view image, const Qcow2Header& header, Context context) {
  context.file.read_only = true;
  const std::string path = beside(image, header.backing);
  std::string format = header.backing_format;
  if (format.empty()) format = image_format(path);
  if (format == "raw") format = "file";
  if (format == "vpc") format = "vhd";
  if (format != "file" && format != "qcow2" && format != "vhd")
    return Error{ErrorKind::Unsupported, fmt::format("{}: its backing file has the unknown format '{}'", image, format)};
  return open_at(format + ":" + path, context);
}

Opened open_qcow2(std::string_view rest, Context context) {
  if (rest.empty()) return needs("qcow2: needs a path");
  const std::string path(rest);
  std::unique_ptr<BlockStore> below;
  {
    auto file = LockedFile::open(path, {.read_only = true, .any_size = true});
    if (!file) return file.error();
    const auto header = Qcow2Image::read_header(FileIo(std::move(*file), path));
    if (!header) return header.error();
    if (!header->backing.empty()) {
      auto opened_below = open_backing(rest, *header, context);
      if (!opened_below) return opened_below.error();
      below = std::move(*opened_below);
    }
  }
  auto image = Qcow2Image::open(path, context.file.read_only, std::move(below));
  if (!image) return image.error();
  return std::unique_ptr<BlockStore>(std::make_unique<UnitStore>(std::move(*image), context.file.read_only));
}

Opened open_vhd_file(std::string_view rest, Context context) {
  if (rest.empty()) return needs("vhd: needs a path");
  return open_vhd(std::string(rest), context.file.read_only);
}

// overlay:SPEC keeps changes as long as the guest runs; overlay:FILE keeps them in an overlay file, which names its base.
Opened open_overlay(std::string_view rest, Context context) {
  if (rest.empty()) return needs("overlay: needs an overlay file or the specification of a store");
  const bool read_only = context.file.read_only;
  const bool scratch = as_spec(rest) == rest;
  const std::string copy = std::exchange(context.overlay_copy, "");
  std::string below_spec(rest);
  if (!scratch) {
    auto named = OverlayImage::below_spec(copy.empty() ? std::string(rest) : copy);
    if (!named) return named.error();
    below_spec = *named;
  }
  context.file.read_only = true;
  auto below = open_at(below_spec, context);
  if (!below) return below.error();
  auto image = !copy.empty() ? OverlayImage::scratch_copy(copy, std::move(*below))
               : scratch     ? OverlayImage::scratch(std::move(*below), below_spec)
                             : OverlayImage::open(std::string(rest), read_only, std::move(*below));
  if (!image) return image.error();
  return std::unique_ptr<BlockStore>(std::make_unique<UnitStore>(std::move(*image), read_only && !scratch && copy.empty()));
}

// --- wrappers and options
Opened open_read_only(std::string_view rest, Context context) {
  context.file.read_only = true;  // so that the file is opened for reading and locked as a reader
  auto below = open_at(rest, context);
  if (!below) return below;
  return std::unique_ptr<BlockStore>(std::make_unique<ReadOnlyStore>(std::move(*below)));
}

Opened open_direct(std::string_view rest, Context context) {
  context.file.direct = true;
  return open_at(rest, context);
}

Opened open_threads(std::string_view rest, Context context) {
  context.file.threads = true;
  return open_at(rest, context);
}

Opened open_short(std::string_view rest, Context context) {
  context.file.step_bytes = 1000;  // not a multiple of a sector, on purpose
  return open_at(rest, context);
}

Opened open_delay(std::string_view rest, Context context) {
  const auto colon = rest.find(':');
  unsigned ms = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + std::min(colon, rest.size()), ms);
  if (error != std::errc{} || colon == std::string_view::npos || end != rest.data() + colon || ms > 60'000)
    return needs("delay: needs milliseconds up to 60000 and a store, as in delay:20:file:PATH");
  auto below = open_at(rest.substr(colon + 1), context);
  if (!below) return below;
  return std::unique_ptr<BlockStore>(std::make_unique<DelayStore>(std::move(*below), std::chrono::milliseconds(ms)));
}

/// One rule: read|write|flush|discard = io|nospace|torn / period.
bool add_fault(FaultInjectingStore& store, std::string_view rule) {
  constexpr std::pair<std::string_view, BlockOp> kOps[] = {
      {"read", BlockOp::Read}, {"write", BlockOp::Write}, {"flush", BlockOp::Flush}, {"discard", BlockOp::Discard}};
  constexpr std::pair<std::string_view, BlockStatus> kOutcomes[] = {
      {"io", BlockStatus::Io}, {"nospace", BlockStatus::NoSpace}, {"torn", BlockStatus::Io}};
  const auto equals = rule.find('='), slash = rule.find('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals) return false;
  const auto op = rule.substr(0, equals), outcome = rule.substr(equals + 1, slash - equals - 1), period = rule.substr(slash + 1);
  unsigned n = 0;
  if (std::from_chars(period.data(), period.data() + period.size(), n).ptr != period.data() + period.size() || n == 0) return false;
  for (const auto& [op_name, o] : kOps)
    for (const auto& [name, status] : kOutcomes)
      if (op_name == op && name == outcome) return store.add_periodic(o, status, n, name == "torn"), true;
  return false;
}

Opened open_fault(std::string_view rest, Context context) {
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return needs("fault: needs rules and a store, as in fault:write=io/100,flush=io/9:file:PATH");
  auto below = open_at(rest.substr(colon + 1), context);
  if (!below) return below;
  auto store = std::make_unique<FaultInjectingStore>(std::move(*below));
  for (std::string_view rules = rest.substr(0, colon); !rules.empty();) {
    const auto comma = rules.find(',');
    if (!add_fault(*store, rules.substr(0, comma)))
      return Error{ErrorKind::Invalid, fmt::format("fault: '{}' is no rule like read|write|flush|discard=io|nospace|torn/PERIOD", rules.substr(0, comma))};
    rules = comma == std::string_view::npos ? std::string_view{} : rules.substr(comma + 1);
  }
  return std::unique_ptr<BlockStore>(std::move(store));
}

struct KindRow {
  std::string_view name;
  Opened (*open)(std::string_view rest, Context context);
};
constexpr KindRow kKinds[] = {
    {"file", open_file},     {"disk", open_disk},       {"lv", open_lv},         {"null", open_null},   {"nbd", open_nbd_uri},
    {"qcow2", open_qcow2},   {"vhd", open_vhd_file},    {"overlay", open_overlay}, {"ro", open_read_only}, {"direct", open_direct},
    {"threads", open_threads}, {"delay", open_delay},   {"fault", open_fault},   {"short", open_short},
};

Opened open_at(std::string_view spec, Context context) {
  if (++context.depth > kMaxNesting)
    return Error{ErrorKind::Invalid,
                 fmt::format("store specification nested more than {} deep", kMaxNesting)};
  const auto colon = spec.find(':');
  const auto kind = spec.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view{} : spec.substr(colon + 1);
  for (const auto& row : kKinds)
    if (row.name == kind) return row.open(rest, context);
  std::string known;
  for (const auto& row : kKinds) known += fmt::format(" {}:", row.name);
  return Error{ErrorKind::Invalid,
               fmt::format("unknown kind of storage '{}' in '{}'; known:{}", kind, spec, known)};
}

}  // namespace

Result<std::unique_ptr<BlockStore>> open_store(std::string_view spec, const std::string& overlay_copy) {
  auto store = open_at(spec, {.file = {}, .overlay_copy = overlay_copy});
  if (store && !overlay_copy.empty() && !(*store)->overlay())
    return Error{ErrorKind::Invalid, fmt::format("'{}' has no overlay, which what was saved belongs into", spec)};
  if (store) return store;
  // Names inside a damaged image may hold anything; a message stays one printable line.
  Error error = store.error();
  for (char& c : error.message)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return error;
}

bool known_store_kind(std::string_view kind) {
  for (const auto& row : kKinds)
    if (row.name == kind) return true;
  return false;
}

Result<u64> parse_size(std::string_view text) {
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  unsigned shift = 0;
  const bool known = unit.empty() || (unit.size() == 1 && std::string_view("KMGT").find(unit[0]) != std::string_view::npos);
  if (known && !unit.empty()) shift = 10 * (1 + static_cast<unsigned>(std::string_view("KMGT").find(unit[0])));
  if (error != std::errc{} || !known || value == 0 || value > (u64{1} << 60) >> shift || (value << shift) % 512)
    return Error{ErrorKind::Invalid, fmt::format("'{}' is no size: a number with K, M, G or T, a multiple of 512 bytes", text)};
  return value << shift;
}

std::string image_format(const std::string& path) {
  auto file = LockedFile::open(path, {.read_only = true, .any_size = true});
  if (!file) return "raw";
  const u64 size = file->size_bytes();
  const FileIo io(std::move(*file), path);
  std::array<u8, 512> head{};
  const auto starts = [&](std::string_view magic) { return std::memcmp(magic.data(), head.data(), magic.size()) == 0; };
  if (size >= 512 && io.read(0, head) != BlockStatus::Ok) return "raw";
  if (starts("QFI\xfb")) return "qcow2";
  if (starts("conectix")) return "vhd";
  if (starts(OverlayImage::kMagic)) return "overlay";
  if (size >= 1024 && io.read(size - 512, head) == BlockStatus::Ok && starts("conectix")) return "vhd";
  return "raw";
}

}  // namespace ia64::storage
