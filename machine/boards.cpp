// The list of boards. A guest-visible change makes a new version; a bare family name means the newest.
#include <fmt/format.h>

#include "machine/board.h"
#include "machine/board_hpvm.h"

namespace ia64::machine {
namespace {

struct BoardRow {
  const char* name;
  const char* family;
  Result<std::unique_ptr<Board>> (*make)(const MachineConfig&, const BoardWires&);
};
constexpr BoardRow kBoards[] = {{"hpvm-1", "hpvm", make_board_hpvm_1}};  // newest of a family last

}  // namespace

Result<std::unique_ptr<Board>> make_board(const MachineConfig& config, const BoardWires& wires) {
  const BoardRow* found = nullptr;
  std::string known;
  for (const BoardRow& row : kBoards) {
    if (config.machine == row.name || config.machine == row.family) found = &row;
    known += fmt::format(" {}", row.name);
  }
  if (!found) return Error{ErrorKind::Invalid, fmt::format("--machine {}: no such board; known:{}", config.machine, known)};
  return found->make(config, wires);
}

}  // namespace ia64::machine
