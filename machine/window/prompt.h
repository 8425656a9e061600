// A line to type: a search, a file name, a command, an address, a question.
#pragma once

#include <functional>
#include <string>

#include "machine/window/overlay.h"

namespace ia64::machine::window {

/// One line above the status bar. Enter hands the text on, Esc leaves.
class Prompt final : public Overlay {
 public:
  static constexpr size_t kMaxCharacters = 1024;
  struct Actions {
    std::function<void(std::string)> enter;                       ///< after the prompt has gone, unless `keep`
    std::function<void(const std::string&)> changed = {};         ///< at every change
    std::function<bool(const KeyPress&)> other = {};              ///< keys that edit nothing; true: was of use
    std::function<void()> left = {};                              ///< by Esc
    bool keep = false;                                            ///< Enter leaves the prompt where it is
  };
  Prompt(std::string label, std::string text, Actions actions, std::function<void(std::function<void()>)> later);
  void draw(CellGrid& grid) override;
  bool key(const KeyPress& press) override;
  bool text(std::string_view bytes) override;

 private:
  std::string bytes() const;
  void changed();
  bool edit(const KeyPress& press);

  std::string label_;
  std::u32string text_;
  size_t at_;
  Actions actions_;
  std::function<void(std::function<void()>)> later_;
};

}  // namespace ia64::machine::window
