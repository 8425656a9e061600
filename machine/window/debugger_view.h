// The debugger view: registers, code, memory, translations and interruptions over the whole window.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/window/overlay.h"
#include "machine/window/prompt.h"

namespace ia64::machine::window {

/// A client of the control commands, one page at a time. What it shows is as old as the last refresh(); registers that differ
/// from the refresh before are marked. UI thread.
class DebuggerView final : public Overlay {
 public:
  struct Wires {
    std::function<void(const std::string& line, std::function<void(const Result<control::Json>&)> done)> run;
    std::function<void()> toggle_pause, step, redraw;
    std::function<bool()> paused;
  };
  enum class Page : u8 { Processor, System, Memory, Translations, Interruptions };

  explicit DebuggerView(Wires wires);
  void draw(CellGrid& grid) override;
  bool key(const KeyPress& press) override;
  bool mouse(const MouseEvent& event) override;
  bool text(std::string_view bytes) override { return prompt_ ? prompt_->text(bytes) : true; }
  void refresh() override;

 private:
  using Json = control::Json;
  struct Piece {
    std::string text;
    Style style;
  };
  using Line = std::vector<Piece>;

  /// Asks, and hands a good answer to `take`; an error becomes the only line of the page.
  void ask(const std::string& line, void (DebuggerView::*take)(const Json&));
  void take_registers(const Json& answer);
  void take_code(const Json& answer);
  void take_application(const Json& answer);
  void take_control(const Json& answer);
  void take_regions(const Json& answer);
  void take_memory(const Json& answer);
  void take_translations(const Json& answer);
  void take_interruptions(const Json& answer);
  void add_named(std::vector<Line>& lines, const std::string& title, const Json& values);
  Line grid_line(const std::vector<Piece>& cells, size_t& at) const;

  void turn_to(Page page);
  void scroll(long rows);
  void ask_address();
  std::vector<Line> lines() const;
  void draw_line(CellGrid& grid, unsigned row, const Line& line) const;
  unsigned per_line() const;

  Wires wires_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come when the view has gone
  Page page_ = Page::Processor;
  unsigned rows_ = 20, columns_ = 80;  ///< of the last draw()
  size_t top_ = 0;
  u64 address_ = 0;
  bool has_address_ = false;
  std::string place_;  ///< what the user typed for it
  std::unique_ptr<Prompt> prompt_;
  std::string error_;
  Json registers_, before_;
  std::vector<Line> code_, application_, control_, regions_, memory_, translations_, interruptions_;
};

/// Names of the bits that are set, as the manual abbreviates them, with cpl. @source SDM vol. 2, table 3-2
std::string psr_text(u64 psr);

}  // namespace ia64::machine::window
