// Names the differences between two register files.
#include "cpu/arch/register_differences.h"

#include <cstdio>

namespace ia64::cpu {

namespace {

class Report {
 public:
  explicit Report(unsigned limit) : left_(limit) {}
  void value(const char* name, int number, u64 expected, u64 actual) {
    if (expected == actual || left_ == 0) return;
    left_--;
    char line[120];
    std::snprintf(line, sizeof line, "  %s%.0d: interpreter %016llx translator %016llx\n", name, number,
                  static_cast<unsigned long long>(expected), static_cast<unsigned long long>(actual));
    text_ += line;
  }
  template <class T, size_t N>
  void file(const char* name, const T (&expected)[N], const T (&actual)[N]) {
    for (size_t n = 0; n < N; n++) value(name, static_cast<int>(n), expected[n], actual[n]);
  }
  const std::string& text() const { return text_; }

 private:
  unsigned left_;
  std::string text_;
};

}  // namespace

std::string register_differences(const Registers& e, const Registers& a, unsigned limit) {
  Report report(limit);
#define SAME(field) report.value(#field, 0, static_cast<u64>(e.field), static_cast<u64>(a.field));
#define SAME_FILE(field) report.file(#field ".", e.field, a.field);
  SAME(ip) SAME(slot) SAME(psr) SAME(cfm.pack()) SAME(bof)
  SAME_FILE(gr_static) SAME_FILE(gr_static_nat) SAME_FILE(gr_banked) SAME_FILE(gr_banked_nat)
  SAME_FILE(stack_gr) SAME_FILE(stack_nat) SAME_FILE(pr_phys) SAME_FILE(br)
  for (int n = 0; n < 128; n++) {
    report.value("fr.sig.", n, e.fr_phys[n].significand, a.fr_phys[n].significand);
    report.value("fr.exp.", n, e.fr_phys[n].sign_exp, a.fr_phys[n].sign_exp);
  }
  SAME(rsc) SAME(bspstore) SAME(rnat) SAME(csd) SAME(ccv) SAME(unat) SAME(fpsr) SAME(pfs) SAME(lc) SAME(ec)
  SAME(rse_dirty) SAME(rse_cfle) SAME(ipsr) SAME(isr) SAME(iip) SAME(ifa) SAME(itir) SAME(iipa) SAME(ifs) SAME(iim)
  SAME(iha) SAME(iib0) SAME(iib1)
  SAME(fcr) SAME(eflag) SAME(ssd) SAME(cflg) SAME(fsr) SAME(fir) SAME(fdr)
  SAME(dcr) SAME(itm) SAME(iva) SAME(pta) SAME(lid) SAME(tpr) SAME(itv) SAME(pmv) SAME(cmcv) SAME(lrr0) SAME(lrr1)
  SAME_FILE(kr) SAME_FILE(rr) SAME_FILE(pkr) SAME_FILE(ibr) SAME_FILE(dbr) SAME_FILE(pmc) SAME_FILE(pmd)
#undef SAME
#undef SAME_FILE
  return report.text();
}

}  // namespace ia64::cpu
