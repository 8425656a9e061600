// Filling and emptying the window of rotating registers.
#include "cpu/jit/rotation_window.h"

#include <algorithm>

namespace ia64::cpu::jit {

namespace {

constexpr unsigned kPredicates = 48, kFloats = 96;

u8 rotated(unsigned base, unsigned rotations, unsigned modulus) {
  return modulus ? static_cast<u8>((base + modulus - rotations % modulus) % modulus) : u8{0};
}

}  // namespace

u64 open_window(RotationWindow& w, const Registers& r) {
  const Cfm& cfm = r.cfm;
  w.rrb_gr = cfm.rrb_gr, w.rrb_fr = cfm.rrb_fr, w.rrb_pr = cfm.rrb_pr;
  const u64* const general = &r.stack_gr[r.bof];
  std::rotate_copy(general, general + cfm.rrb_gr, general + cfm.sor, w.general + RotationWindow::kSteps);
  const u8* const predicates = &r.pr_phys[16];
  std::rotate_copy(predicates, predicates + cfm.rrb_pr, predicates + kPredicates, w.predicates + RotationWindow::kSteps);
  return RotationWindow::kSteps;
}

void close_window(const RotationWindow& w, Registers& r, u64 place) {
  Cfm& cfm = r.cfm;
  const unsigned rotations = RotationWindow::kSteps - static_cast<unsigned>(place);
  cfm.rrb_gr = rotated(w.rrb_gr, rotations, cfm.sor);
  cfm.rrb_fr = rotated(w.rrb_fr, rotations, kFloats);
  cfm.rrb_pr = rotated(w.rrb_pr, rotations, kPredicates);
  const u64* const general = w.general + place;
  std::rotate_copy(general, general + (cfm.sor - cfm.rrb_gr), general + cfm.sor, &r.stack_gr[r.bof]);
  const u8* const predicates = w.predicates + place;
  std::rotate_copy(predicates, predicates + (kPredicates - cfm.rrb_pr), predicates + kPredicates, &r.pr_phys[16]);
}

}  // namespace ia64::cpu::jit
