// JSON to text with labels and tables.
#include "machine/control/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "machine/control/protocol.h"

namespace ia64::machine::control {
namespace {

bool is_plain(const Json& v) {
  return !v.is_structured() || (v.is_array() && std::none_of(v.begin(), v.end(), [](const Json& e) { return e.is_structured(); }));
}
bool is_list_of_objects(const Json& v) {
  return v.is_array() && !v.empty() && std::all_of(v.begin(), v.end(), [](const Json& e) { return e.is_object(); });
}

std::string with_unit(u64 bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double n = static_cast<double>(bytes);
  unsigned unit = 0;
  while (n >= 1024 && unit + 1 < std::size(kUnits)) n /= 1024, unit++;
  return bytes % (u64{1} << 10 * unit) ? fmt::format("{:.1f} {}", n, kUnits[unit]) : fmt::format("{:.0f} {}", n, kUnits[unit]);
}

/// A value in one line. @param label decides about units
std::string plain_text(const std::string& label, const Json& v) {
  if (v.is_null()) return "-";
  if (v.is_boolean()) return v.get<bool>() ? "yes" : "no";
  if (v.is_number_unsigned() && label.ends_with("_bytes")) return with_unit(v.get<u64>());
  if (v.is_string()) return v.get<std::string>();
  if (!v.is_array()) return to_text(v);
  std::string out;
  for (const Json& e : v) out += (out.empty() ? "" : ", ") + plain_text("", e);
  return out.empty() ? "-" : out;
}

/// "written_bytes" is "written", "in_flight" is "in flight".
std::string label_text(std::string label) {
  if (label.ends_with("_bytes")) label.resize(label.size() - 6);
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

/// Columns are the plain members of all rows, in the order of their first appearance.
std::vector<std::string> columns_of(const Json& rows) {
  std::vector<std::string> out;
  for (const Json& row : rows)
    for (const auto& [key, value] : row.items())
      if (is_plain(value) && std::find(out.begin(), out.end(), key) == out.end()) out.push_back(key);
  return out;
}

void append_row(std::string& out, const std::string& indent, const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line = indent;
  for (size_t c = 0; c < cells.size(); c++) line += fmt::format("{:<{}} ", cells[c], widths[c]);
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

void append_table(std::string& out, const std::string& indent, const Json& rows) {
  const auto columns = columns_of(rows);
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& c : columns) lines[0].push_back(label_text(c));
  lines.emplace_back();
  for (const Json& row : rows) {
    auto& line = lines.emplace_back();
    for (const auto& c : columns) line.push_back(row.contains(c) ? plain_text(c, row[c]) : "-");
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& line : lines)
    for (size_t c = 0; c < line.size(); c++) widths[c] = std::max(widths[c], line[c].size());
  for (const size_t w : widths) lines[1].push_back(std::string(w, '='));
  for (const auto& line : lines) append_row(out, indent, line, widths);
}

/// Registers and the like: many values, each under its number.
void append_grid(std::string& out, const std::string& indent, const std::string& label, const Json& values) {
  constexpr size_t kPerLine = 4;
  for (size_t i = 0; i < values.size(); i += kPerLine) {
    bool any = false;
    std::string line = indent;
    for (size_t k = i; k < std::min(values.size(), i + kPerLine); k++) {
      any = any || !values[k].is_null();
      line += fmt::format("{:<24}", fmt::format("{}{} {}", label, k, plain_text("", values[k])));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (any) out += line + "\n";
  }
}

void append_object(std::string& out, const std::string& indent, const Json& object);

void append_member(std::string& out, const std::string& indent, const std::string& label, const Json& v) {
  constexpr size_t kShortList = 12;
  if (v.is_array() && is_plain(v) && v.size() > kShortList && label != "lines") return append_grid(out, indent, label, v);
  if (v.is_array() && v.empty()) {
    out += fmt::format("{}{}: none\n", indent, label_text(label));
    return;
  }
  if (label == "lines") {  // text as it is
    for (const Json& line : v) out += indent + plain_text("", line) + "\n";
    return;
  }
  out += fmt::format("{}[{}]\n", indent, label_text(label));
  if (v.is_object()) return append_object(out, indent + "  ", v);
  const bool flat = is_list_of_objects(v) && std::none_of(v.begin(), v.end(), [](const Json& row) {
                      return std::any_of(row.begin(), row.end(), [](const Json& m) { return is_list_of_objects(m); });
                    });
  if (flat) return append_table(out, indent, v);
  for (size_t i = 0; i < v.size(); i++) {
    if (v[i].is_object())
      append_object(out, indent, v[i]);
    else
      out += indent + plain_text("", v[i]) + "\n";
    if (i + 1 < v.size()) out += "\n";
  }
}

bool in_one_line(const std::string& key, const Json& v) {
  constexpr size_t kShortList = 12;
  return key != "lines" && is_plain(v) && !(v.is_array() && (v.size() > kShortList || v.empty()));
}

void append_object(std::string& out, const std::string& indent, const Json& object) {
  size_t width = 0;
  for (const auto& [key, value] : object.items())
    if (in_one_line(key, value)) width = std::max(width, label_text(key).size());
  for (const auto& [key, value] : object.items())
    if (in_one_line(key, value)) out += fmt::format("{}{:<{}} : {}\n", indent, label_text(key), width, plain_text(key, value));
  for (const auto& [key, value] : object.items())
    if (!in_one_line(key, value)) append_member(out, indent, key, value);
}

std::string usage(const Json& command) {
  std::string out = command.value("name", "");
  for (const Json& a : command.value("arguments", Json::array())) {
    const std::string name = a.value("name", "");
    out += a.value("required", false) ? " " + name : " [" + name + "]";
  }
  return out;
}

}  // namespace

std::string report_text(const Json& result) {
  std::string out;
  if (result.is_object())
    append_object(out, "", result);
  else if (is_plain(result))
    out = plain_text("", result) + "\n";
  else
    append_member(out, "", "result", result);
  return out;
}

std::string help_text(const Json& result) {
  std::string out;
  if (result.contains("commands")) {
    for (const Json& c : result["commands"]) out += fmt::format("{:<32} {}\n", usage(c), c.value("help", ""));
    return out;
  }
  out = fmt::format("{}: {}\n", usage(result), result.value("help", ""));
  if (result.contains("alias")) out += fmt::format("also called {}\n", result.value("alias", ""));
  for (const Json& a : result.value("arguments", Json::array()))
    out += fmt::format("  {:<10} {:<8} {}\n", a.value("name", ""), a.value("type", ""), a.value("help", ""));
  return out;
}

std::string event_text(const Json& event) {
  std::string out = "* " + event.value("event", "");
  const Json data = event.value("data", Json::object());
  for (const auto& [key, value] : data.items()) out += fmt::format("  {} {}", label_text(key), plain_text(key, value));
  return out;
}

}  // namespace ia64::machine::control
