// A line of the monitor from a terminal, with editing, history and completion where the library for it is there.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ia64::cli {

/// Reads lines while something else may be read as well. One at a time in a process.
class LineEditor {
 public:
  struct Handlers {
    /// A line was typed; returns whether to go on.
    std::function<bool(const std::string& line)> line;
    /// Words that may stand at the place of `word`, behind the words `before` it.
    std::function<std::vector<std::string>(const std::vector<std::string>& before, const std::string& word)> complete;
    /// `watched_fd` can be read; returns whether to go on.
    std::function<bool()> readable;
  };

  /// Shows `prompt` and serves standard input and `watched_fd` until a handler or the end of input says so.
  /// @param history_path file that keeps the history; empty for none
  static void run(const std::string& prompt, const std::string& history_path, int watched_fd, Handlers handlers);
  /// Prints text above the line that is being typed.
  static void print_above(const std::string& text);
};

}  // namespace ia64::cli
