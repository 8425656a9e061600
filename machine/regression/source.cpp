// Files in lines, and messages about them.
#include "machine/regression/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ia64::machine::regression {

Source::Source(std::string path, std::string_view text) : path_(std::move(path)) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    std::string line(text.substr(0, newline));
    if (line.ends_with('\r')) line.pop_back();
    lines_.push_back(std::move(line));
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
  }
}

Result<Source> Source::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file) return Error{ErrorKind::NotFound, fmt::format("{}: {}", path, errno ? std::strerror(errno) : "cannot be read")};
  return Source(path, text);
}

std::string_view Source::line(unsigned number) const {
  if (number == 0 || number > lines_.size()) return {};
  const std::string_view line = lines_[number - 1];
  const size_t begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
}

std::string Source::show(const Diagnostic& d) const {
  std::string out = fmt::format("{}:{}: {}\n", path_, d.place.line, d.message);
  if (d.place.line == 0 || d.place.line > lines_.size()) return out;
  const std::string& line = lines_[d.place.line - 1];
  std::string below;  // tabs stay tabs, so that the caret stands right
  for (size_t i = 0; i + 1 < d.place.column; i++) below += i < line.size() && line[i] == '\t' ? '\t' : ' ';
  return out + "    " + line + "\n    " + below + "^\n";
}

void Diagnostics::sort() {
  std::stable_sort(all_.begin(), all_.end(), [](const Diagnostic& a, const Diagnostic& b) { return a.place.line < b.place.line; });
}

}  // namespace ia64::machine::regression
