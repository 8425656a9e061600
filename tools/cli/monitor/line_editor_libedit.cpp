// Line editing by libedit's readline interface.
#include <editline/readline.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tools/cli/monitor/line_editor.h"

namespace ia64::cli {
namespace {

// The library calls plain functions.
LineEditor::Handlers* current = nullptr;
std::string prompt_text;
bool go_on = true;
std::vector<std::string> candidates;

void on_line(char* typed) {
  if (!typed) {  // Ctrl-D
    std::fputs("\n", stdout);
    go_on = false;
    return;
  }
  const std::string line(typed);
  std::free(typed);
  if (line.find_first_not_of(" \t") != std::string::npos) add_history(line.c_str());
  go_on = current->line(line);
  if (go_on) rl_callback_handler_install(prompt_text.c_str(), on_line);  // the library leaves the terminal as it was after a line
}

char* next_candidate(const char*, int state) {
  static size_t next;
  if (state == 0) next = 0;
  return next < candidates.size() ? strdup(candidates[next++].c_str()) : nullptr;
}

char** complete(const char* word, int start, int) {
  std::vector<std::string> before;
  const std::string head(rl_line_buffer, static_cast<size_t>(start));
  for (size_t at = 0; (at = head.find_first_not_of(' ', at)) != std::string::npos;) {
    const size_t end = std::min(head.find(' ', at), head.size());
    before.push_back(head.substr(at, end - at));
    at = end;
  }
  candidates.clear();
  for (auto& c : current->complete(before, word))
    if (c.starts_with(word)) candidates.push_back(std::move(c));
  rl_attempted_completion_over = 1;
  return rl_completion_matches(word, next_candidate);
}

}  // namespace

void LineEditor::run(const std::string& prompt, const std::string& history_path, int watched_fd, Handlers handlers) {
  current = &handlers;
  go_on = true;
  rl_readline_name = "ivm";
  rl_attempted_completion_function = complete;
  static char breaks[] = " \t\n";
  rl_basic_word_break_characters = breaks;
  rl_completer_word_break_characters = breaks;
  using_history();
  stifle_history(1000);
  if (!history_path.empty()) read_history(history_path.c_str());
  prompt_text = prompt;
  rl_callback_handler_install(prompt_text.c_str(), on_line);
  while (go_on) {
    pollfd wait[] = {{STDIN_FILENO, POLLIN, 0}, {watched_fd, POLLIN, 0}};
    if (poll(wait, 2, -1) < 0) continue;  // a signal
    if (wait[1].revents) go_on = current->readable();
    if (go_on && wait[0].revents) rl_callback_read_char();
  }
  rl_callback_handler_remove();
  if (!history_path.empty()) write_history(history_path.c_str());
  current = nullptr;
}

void LineEditor::print_above(const std::string& text) {
  std::printf("\r\033[K%s\n", text.c_str());
  if (current) rl_forced_update_display();
  std::fflush(stdout);
}

}  // namespace ia64::cli
