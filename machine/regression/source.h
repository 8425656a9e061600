// The text of a test file, and what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine::regression {

/// Where something stands in a file; both count from 1, columns in bytes.
struct Place {
  unsigned line = 0, column = 0;
};

struct Diagnostic {
  Place place;
  std::string message;
};

/// A file in lines.
class Source {
 public:
  Source(std::string path, std::string_view text);
  /// @returns one line that names the file and the reason
  static Result<Source> read(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<std::string>& lines() const { return lines_; }
  /// Without its indentation; empty behind the end.
  std::string_view line(unsigned number) const;
  /// "FILE:LINE: message", the line, and a caret below the column.
  std::string show(const Diagnostic& d) const;

 private:
  std::string path_;
  std::vector<std::string> lines_;
};

/// Everything that is wrong with one file, in the order it was found.
class Diagnostics {
 public:
  void add(Place place, std::string message) { all_.push_back({place, std::move(message)}); }
  bool empty() const { return all_.empty(); }
  const std::vector<Diagnostic>& all() const { return all_; }
  /// By line.
  void sort();

 private:
  std::vector<Diagnostic> all_;
};

}  // namespace ia64::machine::regression
