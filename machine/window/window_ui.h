// The window without its pixels: terminal, scrollback, selection, search, menu and status bar as cells; keys and mouse as actions.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/window/activity.h"
#include "machine/window/overlay.h"
#include "machine/window/screen_model.h"
#include "machine/window/search.h"
#include "machine/window/selection.h"

namespace ia64::machine::window {

/// What the user interface asks of the rest; all on its own thread and all must be set. Answers come on that thread too.
struct UiWires {
  std::function<void(std::string_view)> type;        ///< bytes for the guest
  std::function<void(std::string text, std::string before, std::string behind)> paste;
  std::function<void()> stop_paste, release_paste, send_break;
  /// Runs a line of the control commands.
  std::function<void(const std::string& line, std::function<void(const Result<control::Json>&)> done)> run;
  std::function<void(const std::string&)> copy, copy_primary;
  std::function<std::string()> clipboard, primary;
  std::function<void(int)> zoom;                     ///< +1, -1; 0: as it began
  std::function<Result<std::string>(const std::string& path)> screenshot;  ///< @returns what to tell the user
};

/// How far a paste is.
struct PasteState {
  bool active = false, held = false;
  unsigned percent = 0;
  bool operator==(const PasteState&) const = default;
};

/// One thread. `changed()` says whether compose() would give something new.
class WindowUi {
 public:
  static constexpr unsigned kBarRows = 1;
  static constexpr u64 kNoticeMs = 5000;

  /// @param name of the guest @param rows of the window, the status bar included
  WindowUi(std::string name, unsigned rows, unsigned columns, UiWires wires);

  // what happens
  void guest_output(std::span<const u8> bytes);
  void key(const KeyPress& press);
  void text(std::string_view utf8);
  void mouse(const MouseEvent& event);
  void resize(unsigned rows, unsigned columns);
  void focus(bool has) { focus_ = has, changed_ = true; }
  void close_requested();
  void paste_state(PasteState state);
  /// Asks for a new sample and lets old notices go. @param now_ms any clock
  void tick(u64 now_ms);
  /// "terminal", "menu", "media", "debugger", "help". @returns Invalid for other names
  Result<void> show(const std::string& view);

  bool changed();
  CellGrid compose();
  bool reverse_screen() const { return model_.reverse_screen(); }
  ScreenModel& model() { return model_; }
  bool has_overlay() const { return overlay_ != nullptr; }

 private:
  using Json = control::Json;
  u64 top() const { return follow_ ? model_.screen_top() : view_top_; }
  TextPlace place_of(const MouseEvent& event) const;
  void terminal_key(const KeyPress& press);
  bool shortcut(const KeyPress& press);
  bool scroll_key(const KeyPress& press);
  void terminal_mouse(const MouseEvent& event);
  void scroll(long lines_up);
  void scroll_to(u64 line);
  void open(std::unique_ptr<Overlay> overlay);
  void later(std::function<void()> action) { actions_.push_back(std::move(action)); }
  void run_later();
  void notice(std::string text);
  std::string bar_left() const;
  std::string state_text() const;

  void open_menu();
  void open_help();
  void open_search();
  void open_screenshot();
  void open_command();
  void open_media();
  void media_menu(const Json& drives);
  void open_debugger();
  void ask_quit();
  void find(bool up);
  void copy();
  void paste(const std::string& text);
  void toggle_pause();
  void step();
  /// Runs a command whose answer nobody needs to see; an error becomes a notice.
  void command(const std::string& line);
  void show_answer(const std::string& title, const std::string& text);
  void sample();

  void draw_terminal(CellGrid& grid) const;
  void draw_cursor(CellGrid& grid) const;
  void draw_bar(CellGrid& grid) const;

  const std::string name_;
  unsigned rows_, columns_;
  UiWires wires_;
  ScreenModel model_;
  Selection selection_;
  bool selecting_ = false;
  TextSearch search_;
  std::optional<TextSearch::Match> found_;
  bool follow_ = true;      ///< shows the screen, not what has scrolled off
  u64 view_top_ = 0;
  std::unique_ptr<Overlay> overlay_;
  std::deque<std::function<void()>> actions_;  ///< of overlays, run when these have gone
  ActivityMeter meter_;
  bool sampling_ = false;
  PasteState paste_;
  std::string notice_;
  u64 now_ms_ = 0, notice_until_ms_ = 0;
  bool focus_ = true, changed_ = true;
  u64 drawn_version_ = 0;
};

}  // namespace ia64::machine::window
