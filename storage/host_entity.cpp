// Identity of host files and device nodes by what stat() says.
#include "storage/host_entity.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <utility>

namespace ia64::storage {

namespace {

/// Words that stand before another specification, with the number of their own parts.
constexpr std::pair<std::string_view, unsigned> kBefore[] = {{"ro", 0}, {"direct", 0}, {"threads", 0}, {"short", 0}, {"delay", 1}, {"fault", 1}};

std::string_view behind_colon(std::string_view text) {
  const auto colon = text.find(':');
  return colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
}

/// Without its outermost word, if that is one that stands before others; else as it was.
std::string_view unwrapped(std::string_view spec) {
  for (const auto& [word, parts] : kBefore) {
    if (spec.substr(0, spec.find(':')) != word) continue;
    spec = behind_colon(spec);
    return parts ? behind_colon(spec) : spec;
  }
  return spec;
}

}  // namespace

std::string host_entity(std::string_view spec) {
  for (auto inner = unwrapped(spec); inner != spec; inner = unwrapped(spec)) spec = inner;
  const auto word = spec.substr(0, spec.find(':'));
  struct stat st;
  if (word == "overlay" || stat(std::string(behind_colon(spec)).c_str(), &st) != 0) return "";
  if (S_ISREG(st.st_mode) && word != "null") return fmt::format("file {} {}", st.st_dev, st.st_ino);
  if (S_ISBLK(st.st_mode)) return fmt::format("block device {}", st.st_rdev);
  if (S_ISCHR(st.st_mode)) return fmt::format("character device {}", st.st_rdev);
  return "";
}

}  // namespace ia64::storage
