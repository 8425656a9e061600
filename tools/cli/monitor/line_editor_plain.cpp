// Lines without editing, for builds without libedit; says so once.
#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "machine/host/line_buffer.h"
#include "tools/cli/monitor/line_editor.h"

namespace ia64::cli {

void LineEditor::run(const std::string& prompt, const std::string&, int watched_fd, Handlers handlers) {
  std::puts("(built without libedit: no editing, history or completion)");
  machine::LineBuffer lines(1 << 20);
  for (bool go_on = true; go_on;) {
    std::fputs(prompt.c_str(), stdout);
    std::fflush(stdout);
    std::optional<std::string> line;
    while (go_on && !(line = lines.next())) {
      pollfd wait[] = {{STDIN_FILENO, POLLIN, 0}, {watched_fd, POLLIN, 0}};
      if (poll(wait, 2, -1) < 0) continue;
      if (wait[1].revents) go_on = handlers.readable();
      char bytes[4096];
      const ssize_t n = go_on && wait[0].revents ? read(STDIN_FILENO, bytes, sizeof bytes) : 0;
      if (n > 0) lines.add({bytes, static_cast<size_t>(n)});
      if (wait[0].revents && n <= 0) return;
    }
    if (line) go_on = handlers.line(*line);
  }
}

void LineEditor::print_above(const std::string& text) { std::printf("\n%s\n", text.c_str()); }

}  // namespace ia64::cli
