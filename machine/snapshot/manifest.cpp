// The manifest as JSON.
#include "machine/snapshot/manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ia64::machine {

namespace {

using Json = nlohmann::ordered_json;

/// Names the members of an object once, for both directions.
class Members {
 public:
  Members(Json& json, bool reading) : json_(json), reading_(reading) {}
  template <class T>
  Members& operator()(const char* name, T& value) {
    if (reading_)
      read(name, value);
    else
      json_[name] = value;
    return *this;
  }
  template <class F>
  Members& object(const char* name, F&& describe) {
    Members inner(part(name), reading_);
    describe(inner);
    return *this;
  }
  template <class T, class F>
  Members& list(const char* name, std::vector<T>& items, F&& describe) {
    Json& all = part(name);
    if (reading_ && !all.is_array()) wrong(name);
    if (!reading_) all = Json::array();
    if (reading_) items.resize(all.size());
    for (size_t n = 0; n < items.size(); n++) {
      if (!reading_) all.push_back(Json::object());
      Members inner(all[n], reading_);
      describe(inner, items[n]);
    }
    return *this;
  }
  [[noreturn]] static void wrong(const char* name) { throw std::string(name); }

 private:
  Json& part(const char* name) {
    if (reading_ && (!json_.is_object() || !json_.contains(name))) wrong(name);
    return json_[name];
  }
  template <class T>
  void read(const char* name, T& value) {
    const Json& v = part(name);
    if constexpr (std::is_same_v<T, std::string>) {
      if (!v.is_string()) wrong(name);
    } else {
      if (!v.is_number_unsigned() || v.get<u64>() > std::numeric_limits<T>::max()) wrong(name);
    }
    v.get_to(value);
  }
  Json& json_;
  const bool reading_;
};

void describe(Members& json, SnapshotManifest& m) {
  json("name", m.name)("created", m.created)("board", m.board)("guest", m.guest)("memory_bytes", m.memory_bytes);
  json("processors", m.processors)("processor_model", m.processor_model)("virtual_ns", m.virtual_ns)("counted", m.counted)("nvram", m.nvram_path);
  json.object("kernel", [&](Members& k) { k("path", m.kernel.kernel_path)("initrd", m.kernel.initrd_path)("arguments", m.kernel.arguments); });
  json.list("adapters", m.adapters, [](Members& a, SnapshotAdapter& v) { a("bus", v.bus)("slot", v.slot)("kind", v.kind)("next_kind", v.next_kind); });
  json.list("media", m.media, [](Members& d, SnapshotMedium& v) {
    d("statement", v.statement)("keep", v.keep)("current", v.current)("size_bytes", v.size_bytes)("fingerprint", v.fingerprint);
    d("overlay", v.overlay);
  });
  json.object("memory", [&](Members& f) { f("size_bytes", m.memory.size_bytes)("stored_bytes", m.memory.stored_bytes)("checksum", m.memory.checksum); });
  json.object("state", [&](Members& f) { f("size_bytes", m.state_bytes)("checksum", m.state_checksum); });
}

/// A file of the snapshot's folder, or none.
bool is_overlay_name(const std::string& name) {
  return name.empty() || (name.rfind("overlay-", 0) == 0 && name.find_first_not_of("0123456789,", 8) == std::string::npos);
}

}  // namespace

std::string to_text(const SnapshotManifest& manifest) {
  Json json = {{"ivm_snapshot", SnapshotManifest::kFormat}};
  SnapshotManifest copy = manifest;
  Members members(json, false);
  describe(members, copy);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<SnapshotManifest> parse_manifest(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("ivm_snapshot")) return Error{ErrorKind::Invalid, "the manifest is no manifest of a snapshot"};
  if (json["ivm_snapshot"] != SnapshotManifest::kFormat)
    return Error{ErrorKind::Unsupported, fmt::format("the snapshot has format {}; this version of ivm reads format {}",
                                                     json["ivm_snapshot"].dump(-1, ' ', true, Json::error_handler_t::replace), SnapshotManifest::kFormat)};
  SnapshotManifest out;
  try {
    Members members(json, true);
    describe(members, out);
  } catch (const std::string& name) {
    return Error{ErrorKind::Invalid, fmt::format("the manifest is damaged: member '{}'", name)};
  }
  for (const SnapshotMedium& medium : out.media)
    if (!is_overlay_name(medium.overlay)) return Error{ErrorKind::Invalid, "the manifest is damaged: member 'overlay'"};
  return out;
}

}  // namespace ia64::machine
