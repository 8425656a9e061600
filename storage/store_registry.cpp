// One row per kind of store.
#include "storage/store_registry.h"

#include <fmt/core.h>

#include "storage/stores/file_store.h"
#include "storage/wrappers/read_only.h"

namespace ia64::storage {

namespace {

using Opened = Result<std::unique_ptr<BlockStore>>;

/// What wrappers further out ask of the stores below.
struct Context {
  bool read_only = false;
  unsigned depth = 0;
};

Opened open_at(std::string_view spec, Context context);

Opened open_file(std::string_view rest, Context context) {
  if (rest.empty()) return Error{ErrorKind::Invalid, "file: needs a path"};
  return FileStore::open(std::string(rest), context.read_only);
}

Opened open_read_only(std::string_view rest, Context context) {
  context.read_only = true;  // so that the file is opened for reading and locked as a reader
  auto below = open_at(rest, context);
  if (!below) return below;
  return std::unique_ptr<BlockStore>(std::make_unique<ReadOnlyStore>(std::move(*below)));
}

struct KindRow {
  std::string_view name;
  Opened (*open)(std::string_view rest, Context context);
};
constexpr KindRow kKinds[] = {
    {"file", open_file},
    {"ro", open_read_only},
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

Result<std::unique_ptr<BlockStore>> open_store(std::string_view spec) {
  return open_at(spec, {});
}

bool known_store_kind(std::string_view kind) {
  for (const auto& row : kKinds)
    if (row.name == kind) return true;
  return false;
}

}  // namespace ia64::storage
