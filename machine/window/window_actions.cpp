// What the window's menu and shortcuts do.
#include <fmt/format.h>

#include "machine/control/text_report.h"
#include "machine/window/debugger_view.h"
#include "machine/window/menu.h"
#include "machine/window/prompt.h"
#include "machine/window/text_box.h"
#include "machine/window/window_ui.h"

namespace ia64::machine::window {
namespace {

constexpr const char* kHelp =
    "Every key goes to the guest, but for these.\n"
    "\n"
    "Ctrl-]              menu, with a letter for each action;\n"
    "                    Ctrl-] once more goes to the guest\n"
    "Ctrl-Shift-C, V     copy what is selected, paste (Shift-Insert too)\n"
    "Ctrl-Shift-F        search; Enter or Up: previous, Down: next\n"
    "Ctrl-Shift-P        pause and continue\n"
    "Ctrl-Shift-I        one instruction, while paused\n"
    "Ctrl-Shift-D        debugger view\n"
    "Ctrl-Shift-S        screenshot\n"
    "Shift-PgUp, PgDn    what has scrolled off; so do Shift-arrows, Shift-Home,\n"
    "                    Shift-End and the wheel\n"
    "Ctrl-+, -, 0        larger and smaller letters, as they were\n"
    "\n"
    "Mouse: drag selects, two clicks take a word, three a line; the middle button\n"
    "pastes what is selected; the right button opens the menu. When a program of\n"
    "the guest takes the mouse, hold Shift.\n";

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

void WindowUi::open(std::unique_ptr<Overlay> overlay) {
  overlay_ = std::move(overlay);
  changed_ = true;
}

void WindowUi::command(const std::string& line) {
  wires_.run(line, [this, line](const Result<Json>& answer) {
    if (!answer) return notice(answer.error().message);
    if (answer->is_object() && answer->contains("note")) notice((*answer)["note"].get<std::string>());
    sample();
    if (overlay_) overlay_->refresh();
  });
}

void WindowUi::show_answer(const std::string& title, const std::string& text) {
  if (text.empty()) return notice(title + ": done");
  open(std::make_unique<TextBox>(title, text));
}

void WindowUi::toggle_pause() { command(meter_.paused() ? "continue" : "pause"); }

void WindowUi::step() {
  if (!meter_.paused()) return notice("pause the guest first (Ctrl-Shift-P)");
  command("step");
}

void WindowUi::open_menu() {
  const auto later_ = [this](std::function<void()> action) { later(std::move(action)); };
  const bool paused = meter_.paused();
  std::vector<MenuItem> items = {
      {'g', paused ? "Continue" : "Pause", "Ctrl-Shift-P", [this] { toggle_pause(); }},
      {'s', "Step one instruction", "Ctrl-Shift-I", [this] { step(); }},
      {'d', "Debugger", "Ctrl-Shift-D", [this] { open_debugger(); }},
      {},
      {'r', "Reset", "", [this] { command("reset"); }},
      {'p', "Press the power button", "", [this] { command("power-off"); }},
      {'q', "Quit: stop at once, as a power failure", "", [this] { command("quit"); }},
      {},
      {'m', "Media: eject, insert...", "", [this] { open_media(); }},
      {'b', "Send a serial break", "", [this] { wires_.send_break(), notice("break sent"); }},
      {'c', "Command...", "", [this] { open_command(); }},
      {},
      {'y', "Copy", "Ctrl-Shift-C", [this] { copy(); }},
      {'v', "Paste", "Ctrl-Shift-V", [this] { paste(wires_.clipboard()); }},
      {'f', "Search...", "Ctrl-Shift-F", [this] { open_search(); }},
      {'t', "Screenshot...", "Ctrl-Shift-S", [this] { open_screenshot(); }},
      {},
      {'?', "Keys", "", [this] { open_help(); }},
  };
  const auto unknown = [this](const KeyPress& press) {
    if (press.key || !press.modifiers.ctrl || press.character != U']') return false;
    wires_.type("\x1d");
    return true;
  };
  open(std::make_unique<Menu>(name_, std::move(items), later_, unknown));
}

void WindowUi::open_help() { open(std::make_unique<TextBox>("Keys", kHelp)); }

void WindowUi::open_search() {
  found_.reset();
  Prompt::Actions actions;
  actions.keep = true;
  actions.enter = [this](std::string) { find(true); };
  actions.changed = [this](const std::string& pattern) {
    search_.set_pattern(pattern);
    found_.reset();
    find(true);
  };
  actions.other = [this](const KeyPress& press) {
    if (press.key == Key::Up || press.key == Key::Down) find(press.key == Key::Up);
    return true;
  };
  actions.left = [this] { search_.set_pattern(""), found_.reset(); };
  open(std::make_unique<Prompt>("Search:", "", std::move(actions), [this](std::function<void()> action) { later(std::move(action)); }));
}

/// The first search goes up from the end of what is shown.
void WindowUi::find(bool up) {
  if (!search_.active()) return;
  const TextPlace from = found_ ? found_->at : TextPlace{top() + model_.rows(), 0};
  found_ = up ? search_.previous(model_, from) : search_.next(model_, from);
  if (!found_) return notice("not found");
  notice_.clear();
  // The last row of the screen lies under the prompt.
  const u64 line = found_->at.line;
  if (line < top() || line + 1 >= top() + model_.rows()) scroll_to(line > model_.rows() / 2 ? line - model_.rows() / 2 : 0);
}

void WindowUi::open_screenshot() {
  Prompt::Actions actions;
  actions.enter = [this](std::string path) {
    if (path.empty()) return;
    const auto done = wires_.screenshot(path);
    notice(done ? *done : done.error().message);
  };
  open(std::make_unique<Prompt>("Screenshot to file:", name_ + ".png", std::move(actions),
                                [this](std::function<void()> action) { later(std::move(action)); }));
}

void WindowUi::open_command() {
  Prompt::Actions actions;
  actions.enter = [this](std::string line) {
    if (line.find_first_not_of(' ') == std::string::npos) return;
    wires_.run(line, [this, line](const Result<Json>& answer) {
      if (!answer) return show_answer(line, answer.error().message);
      const bool help = answer->is_object() && answer->contains("commands");
      show_answer(line, help ? control::help_text(*answer) : control::report_text(*answer));
      sample();
    });
  };
  open(std::make_unique<Prompt>(fmt::format("[{}] vMP>", name_), "", std::move(actions),
                                [this](std::function<void()> action) { later(std::move(action)); }));
}

void WindowUi::open_media() {
  wires_.run("media", [this](const Result<Json>& answer) {
    if (!answer) return notice(answer.error().message);
    media_menu((*answer)["drives"]);
  });
}

void WindowUi::media_menu(const Json& drives) {
  std::vector<MenuItem> items;
  char letter = 'a';
  const auto add = [&](const std::string& label, const std::string& line) {
    items.push_back({letter, label, "", [this, line] { command(line); }});
    letter = static_cast<char>(letter == 0 || letter == 'z' ? 0 : letter + 1);
  };
  for (const Json& drive : drives) {
    const std::string address = drive.value("address", "");
    if (!items.empty()) items.push_back({});
    add(fmt::format("Eject {} ({}, {})", address, drive.value("medium", ""), drive.value("tray", "")), "eject " + address);
    for (const Json& choice : drive.value("choices", Json::array()))
      add(fmt::format("Insert {} into {}", choice.get<std::string>(), address), "insert " + quoted(choice.get<std::string>()) + " " + address);
  }
  if (items.empty()) return notice("this guest has no DVD drive");
  open(std::make_unique<Menu>("Media", std::move(items), [this](std::function<void()> action) { later(std::move(action)); }));
}

void WindowUi::open_debugger() {
  DebuggerView::Wires wires;
  wires.run = wires_.run;
  wires.toggle_pause = [this] { toggle_pause(); };
  wires.step = [this] { step(); };
  wires.redraw = [this] { changed_ = true; };
  wires.paused = [this] { return meter_.paused(); };
  open(std::make_unique<DebuggerView>(std::move(wires)));
  overlay_->refresh();
}

void WindowUi::ask_quit() {
  open(std::make_unique<Menu>("The guest runs. Stop it as a power failure would?",
                              std::vector<MenuItem>{{'n', "No, go on", "", [] {}},
                                                    {'p', "Press the power button: the guest shuts down", "", [this] { command("power-off"); }},
                                                    {'y', "Yes, stop it at once", "", [this] { command("quit"); }}},
                              [this](std::function<void()> action) { later(std::move(action)); }));
}

/// A guest whose operating system runs may lose data: asked before.
void WindowUi::close_requested() {
  if (meter_.state() == "On (EFI)") return command("quit");
  ask_quit();
}

Result<void> WindowUi::show(const std::string& view) {
  changed_ = true;
  if (view == "terminal")
    overlay_.reset();
  else if (view == "menu")
    open_menu();
  else if (view == "media")
    open_media();
  else if (view == "debugger")
    open_debugger();
  else if (view == "help")
    open_help();
  else
    return Error{ErrorKind::Invalid, fmt::format("there is no view '{}'; use terminal, menu, media, debugger or help", view)};
  return {};
}

}  // namespace ia64::machine::window
