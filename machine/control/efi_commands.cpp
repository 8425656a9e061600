// Commands about firmware: EFI variables, handles and protocols, memory map, loaded images.
#include <fmt/format.h>

#include <map>

#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/debugger/desk.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

constexpr size_t kShownBytes = 32;

/// Text where it is text in UCS-2 or ASCII, else bytes.
std::string data_text(const std::vector<u8>& data) {
  std::string text, bytes;
  bool wide = data.size() >= 2 && data.size() % 2 == 0, narrow = !data.empty();
  for (size_t n = 0; n < data.size(); n++) {
    const bool last = n + 1 >= data.size() || (n + 2 >= data.size() && wide);
    const bool printable = (data[n] >= ' ' && data[n] < 0x7f) || (data[n] == 0 && last);
    narrow = narrow && printable;
    wide = wide && (n % 2 ? data[n] == 0 : printable);
  }
  if ((wide || narrow) && data.size() > 2) {
    for (size_t n = 0; n < data.size(); n += wide ? 2 : 1)
      if (data[n]) text += static_cast<char>(data[n]);
    return "\"" + text + "\"";
  }
  for (size_t n = 0; n < std::min(data.size(), kShownBytes); n++) bytes += fmt::format("{}{:02x}", n ? " " : "", data[n]);
  return data.size() > kShownBytes ? bytes + " ..." : bytes;
}

std::string attributes_text(u32 attributes) {
  std::string out = attributes & 1 ? "NV" : "";
  if (attributes & 2) out += out.empty() ? "BS" : "+BS";
  if (attributes & 4) out += out.empty() ? "RT" : "+RT";
  return out;
}

/// @param name  of the only ones wanted, with all their bytes; empty: all, with the beginnings of their data
Result<Json> variables(const firmware::EfiInspection& efi, const std::string& name) {
  Json rows = Json::array();
  for (const auto& v : efi.variables) {
    if (!name.empty() && v.name != name) continue;
    rows.push_back({{"name", v.name}, {"vendor", v.vendor}, {"attributes", attributes_text(v.attributes)}, {"length", v.data.size()}, {"data", data_text(v.data)}});
    if (!name.empty()) rows.back()["bytes"] = fmt::format("{:02x}", fmt::join(v.data, ""));
  }
  if (!name.empty() && rows.empty()) return Error{ErrorKind::NotFound, fmt::format("there is no EFI variable '{}'", name)};
  return Json{{"variables", std::move(rows)}};
}

Json handles(const firmware::EfiInspection& efi) {
  Json rows = Json::array();
  for (const auto& h : efi.handles) {
    Json names = Json::array();
    for (const auto& [name, interface] : h.protocols) names.push_back(name);
    rows.push_back({{"handle", hex(h.handle)}, {"protocols", std::move(names)}, {"path", h.path}});
  }
  return {{"handles", std::move(rows)}};
}

Json protocols(const firmware::EfiInspection& efi) {
  std::map<std::string, Json> by_name;
  for (const auto& h : efi.handles)
    for (const auto& [name, interface] : h.protocols) by_name.try_emplace(name, Json::array()).first->second.push_back(fmt::format("{:#x} at {:#x}", h.handle, interface));
  Json rows = Json::array();
  for (const auto& [name, places] : by_name) rows.push_back({{"protocol", name}, {"handles", places.size()}, {"interfaces", places}});
  return {{"protocols", std::move(rows)}};
}

std::string memory_attributes(u64 attributes) {
  static constexpr const char* kNames[] = {"UC", "WC", "WT", "WB", "UCE"};
  std::string out = attributes >> 63 ? "RUNTIME" : "";
  for (size_t n = 0; n < std::size(kNames); n++)
    if (attributes >> n & 1) out += (out.empty() ? "" : " ") + std::string(kNames[n]);
  return out;
}

Json memory_map(const firmware::EfiInspection& efi) {
  Json rows = Json::array();
  for (const auto& m : efi.memory)
    rows.push_back({{"from", hex(m.base)}, {"to", hex(m.base + m.size_bytes - 1)}, {"size_bytes", m.size_bytes}, {"type", m.type}, {"attributes", memory_attributes(m.attributes)}});
  return {{"memory", std::move(rows)}};
}

Json images(Call& call) {
  Json rows = Json::array(), lines = Json::array();
  const debugger::Desk& desk = desk_of(call);
  for (const auto& i : desk.images()) {
    rows.push_back(describe_image(i));
    lines.push_back(i.gdb_line());
  }
  return {{"images", std::move(rows)}, {"lines", std::move(lines)}};
}

Result<Json> efi(Call& call) {
  const std::string what = call.arguments.text("what");
  if (what == "images") return images(call);
  const firmware::EfiInspection state = call.context.machine->inspect_efi();
  Json out;
  if (what == "variables") {
    auto found = variables(state, call.arguments.text("name"));
    if (!found) return found.error();
    out = std::move(*found);
  } else if (what == "handles") out = handles(state);
  else if (what == "protocols") out = protocols(state);
  else if (what == "memory-map") out = memory_map(state);
  else return Error{ErrorKind::Invalid, "argument 'what': variables, handles, protocols, memory-map or images"};
  if (!state.boot_services) out["note"] = "boot services have ended: an operating system has the machine";
  return out;
}

Result<Json> images_(Call& call) { return images(call); }

}  // namespace

Json describe_image(const debugger::Desk::Image& i) {
  const firmware::EfiImage& e = i.image;
  return {{"name", e.name}, {"kind", e.kind}, {"base", hex(e.base)}, {"size", hex(e.size_bytes)}, {"entry", hex(e.entry)}, {"gp", hex(e.gp)},
          {"symbols", i.symbol_file.empty() ? std::to_string(e.symbols.size()) : i.symbol_file}, {"path", e.path}};
}

std::vector<CommandRow> efi_commands() {
  using enum ArgumentType;
  return {
      {"efi", nullptr, {{"what", Text, true, "variables, handles, protocols, memory-map or images"}, {"name", Text, false, "of one variable, with all its bytes"}},
       Where::Machine, efi, "what firmware holds"},
      {"images", nullptr, {}, Where::Machine, images_, "EFI images in memory, and lines that give their symbols to gdb"},
  };
}

}  // namespace ia64::machine::control
