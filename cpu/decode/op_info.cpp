// The table of all rows, built from the *_unit.inc files.
#include "cpu/decode/op_info.h"

#include <iterator>

#include "cpu/exec/handlers.h"

namespace ia64::cpu {
namespace {

using namespace op_flag;

constexpr const char* kNoPicture = "----------------------------------- pppppp";

constexpr OpInfo kOps[] = {
    {"reserved", "illegal_operation", kNoPicture, illegal_operation, kEnds, Format::Reserved, Unit::A},
#define ROW(unit, format, text, handler, flags, picture) \
  {text, #handler, picture, handler, flags, Format::format, Unit::unit},
#define INST(...) ROW(A, __VA_ARGS__)
#include "cpu/decode/a_unit.inc"
#undef INST
#define INST(...) ROW(I, __VA_ARGS__)
#include "cpu/decode/i_unit.inc"
#undef INST
#define INST(...) ROW(M, __VA_ARGS__)
#include "cpu/decode/m_unit.inc"
#undef INST
#define INST(...) ROW(B, __VA_ARGS__)
#include "cpu/decode/b_unit.inc"
#undef INST
#define INST(...) ROW(F, __VA_ARGS__)
#include "cpu/decode/f_unit.inc"
#undef INST
#define INST(...) ROW(X, __VA_ARGS__)
#include "cpu/decode/x_unit.inc"
#undef INST
#undef ROW
};

constexpr bool pictures_have_41_cells() {
  for (const OpInfo& op : kOps) {
    unsigned cells = 0;
    for (const char* c = op.picture; *c != '\0'; ++c) cells += *c != ' ';
    if (cells != 41) return false;
  }
  return true;
}
static_assert(pictures_have_41_cells());

}  // namespace

const OpInfo& op_info(u16 op) noexcept { return kOps[op]; }
unsigned op_count() noexcept { return std::size(kOps); }

}  // namespace ia64::cpu
