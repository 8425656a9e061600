// ConsoleWindow of a build without the libraries it needs.
#include "machine/window/console_window.h"

namespace ia64::machine::window {

Result<std::unique_ptr<ConsoleWindow>> ConsoleWindow::open(WindowWires) {
  return Error{ErrorKind::Unsupported, "--console window: this ivm was built without libvterm, SDL2, SDL2_ttf, libpng or libX11; use stdio or unix:PATH"};
}

}  // namespace ia64::machine::window
