// The screen by the model behind the console window.
#include "machine/regression/screen.h"
#include "machine/window/golden_text.h"
#include "machine/window/screen_model.h"

namespace ia64::machine::regression {

Result<std::string> screen_text(std::string_view bytes) {
  constexpr unsigned kRows = 25, kColumns = 80;
  window::ScreenModel model(kRows, kColumns);
  model.feed(bytes);
  return window::screen_text(model);
}

}  // namespace ia64::machine::regression
