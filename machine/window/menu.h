// A menu of rows, each with a letter.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "machine/window/overlay.h"

namespace ia64::machine::window {

struct MenuItem {
  char letter = 0;          ///< chooses it; 0 for none
  std::string label;        ///< empty: a line between groups
  std::string shortcut;     ///< shown at the right
  std::function<void()> action;
};

/// Up, Down, Enter, letters, mouse; Esc leaves. An action runs after the menu has gone.
class Menu final : public Overlay {
 public:
  /// @param unknown called with keys that are no item's; returns whether they meant something, and the menu goes
  Menu(std::string title, std::vector<MenuItem> items, std::function<void(std::function<void()>)> later,
       std::function<bool(const KeyPress&)> unknown = {});
  void draw(CellGrid& grid) override;
  bool key(const KeyPress& press) override;
  bool mouse(const MouseEvent& event) override;

 private:
  bool choose(size_t n);
  void move(int by);
  bool hit(const MouseEvent& event, size_t& item) const;

  std::string title_;
  std::vector<MenuItem> items_;
  std::function<void(std::function<void()>)> later_;
  std::function<bool(const KeyPress&)> unknown_;
  size_t chosen_ = 0, top_ = 0;
  unsigned row_ = 0, column_ = 0, columns_ = 0, shown_ = 0;  ///< where it was drawn
};

}  // namespace ia64::machine::window
