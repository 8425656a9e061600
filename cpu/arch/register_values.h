// Every architected register with its name: what comparisons and hashes of states go through.
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu {

/// Calls visit(name, number, value) for each register, always in the same order. Registers of a file have a name that ends in a
/// dot and their number; the others have number -1.
template <class Visit>
void each_register(const Registers& r, Visit visit) {
  const auto file = [&](const char* name, const auto& values) {
    int n = 0;
    for (const auto& v : values) visit(name, n++, static_cast<u64>(v));
  };
#define ONE(field) visit(#field, -1, static_cast<u64>(r.field));
#define FILE_OF(field) file(#field ".", r.field);
  ONE(ip) ONE(slot) ONE(psr) ONE(cfm.pack()) ONE(bof)
  FILE_OF(gr_static) FILE_OF(gr_static_nat) FILE_OF(gr_banked) FILE_OF(gr_banked_nat)
  FILE_OF(stack_gr) FILE_OF(stack_nat) FILE_OF(pr_phys) FILE_OF(br)
  for (int n = 0; n < 128; n++) {
    visit("fr.sig.", n, r.fr_phys[n].significand);
    visit("fr.exp.", n, u64{r.fr_phys[n].sign_exp});
  }
  ONE(rsc) ONE(bspstore) ONE(rnat) ONE(csd) ONE(ccv) ONE(unat) ONE(fpsr) ONE(pfs) ONE(lc) ONE(ec)
  ONE(rse_dirty) ONE(rse_cfle) ONE(ipsr) ONE(isr) ONE(iip) ONE(ifa) ONE(itir) ONE(iipa) ONE(ifs) ONE(iim)
  ONE(iha) ONE(iib0) ONE(iib1)
  ONE(fcr) ONE(eflag) ONE(ssd) ONE(cflg) ONE(fsr) ONE(fir) ONE(fdr)
  ONE(dcr) ONE(itm) ONE(iva) ONE(pta) ONE(lid) ONE(tpr) ONE(itv) ONE(pmv) ONE(cmcv) ONE(lrr0) ONE(lrr1)
  FILE_OF(kr) FILE_OF(rr) FILE_OF(pkr) FILE_OF(ibr) FILE_OF(dbr) FILE_OF(pmc) FILE_OF(pmd)
#undef ONE
#undef FILE_OF
}

}  // namespace ia64::cpu
