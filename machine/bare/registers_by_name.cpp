// Name tables of application, control and indexed registers.
#include "machine/bare/registers_by_name.h"

#include <fmt/format.h>

#include <cstdlib>

#include "cpu/mmu/tlb.h"
#include "cpu/rse/rse.h"
#include "cpu/sapic.h"
#include "machine/bare/program.h"

namespace ia64::machine {
namespace {

using cpu::Core;
using cpu::Registers;
using Table = std::vector<NamedRegister>;

void add_plain(Table& t, const char* name, u64 Registers::*member) {
  t.push_back({name, [member](Core& c) { return c.regs().*member; }, [member](Core& c, u64 v) { c.regs().*member = v; }});
}

void add_application(Table& t) {
  for (unsigned i = 0; i < 8; i++)
    t.push_back({fmt::format("ar.k{}", i), [i](Core& c) { return c.regs().kr[i]; }, [i](Core& c, u64 v) { c.regs().kr[i] = v; }});
  add_plain(t, "ar.rsc", &Registers::rsc);
  t.push_back({"ar.bsp", [](Core& c) { return c.rse().bsp(); }, {}});
  t.push_back({"ar.bspstore", [](Core& c) { return c.regs().bspstore; }, [](Core& c, u64 v) { c.rse().set_bspstore(v); }});
  add_plain(t, "ar.rnat", &Registers::rnat);
  add_plain(t, "ar.fcr", &Registers::fcr);
  add_plain(t, "ar.eflag", &Registers::eflag);
  add_plain(t, "ar.csd", &Registers::csd);
  add_plain(t, "ar.ssd", &Registers::ssd);
  add_plain(t, "ar.cflg", &Registers::cflg);
  add_plain(t, "ar.fsr", &Registers::fsr);
  add_plain(t, "ar.fir", &Registers::fir);
  add_plain(t, "ar.fdr", &Registers::fdr);
  add_plain(t, "ar.ccv", &Registers::ccv);
  add_plain(t, "ar.unat", &Registers::unat);
  add_plain(t, "ar.fpsr", &Registers::fpsr);
  t.push_back({"ar.itc", [](Core& c) { return c.itc(); }, [](Core& c, u64 v) { c.sapic().write_itc(v); }});
  add_plain(t, "ar.pfs", &Registers::pfs);
  add_plain(t, "ar.lc", &Registers::lc);
  t.push_back({"ar.ec", [](Core& c) { return u64{c.regs().ec}; }, [](Core& c, u64 v) { c.regs().ec = v & 63; }});
}

void add_control(Table& t) {
  add_plain(t, "cr.dcr", &Registers::dcr);
  t.push_back({"cr.itm", [](Core& c) { return c.regs().itm; }, [](Core& c, u64 v) { c.sapic().write_itm(v); }});
  add_plain(t, "cr.iva", &Registers::iva);
  add_plain(t, "cr.pta", &Registers::pta);
  add_plain(t, "cr.ipsr", &Registers::ipsr);
  add_plain(t, "cr.isr", &Registers::isr);
  add_plain(t, "cr.iip", &Registers::iip);
  add_plain(t, "cr.ifa", &Registers::ifa);
  add_plain(t, "cr.itir", &Registers::itir);
  add_plain(t, "cr.iipa", &Registers::iipa);
  add_plain(t, "cr.ifs", &Registers::ifs);
  add_plain(t, "cr.iim", &Registers::iim);
  add_plain(t, "cr.iha", &Registers::iha);
  add_plain(t, "cr.iib0", &Registers::iib0);
  add_plain(t, "cr.iib1", &Registers::iib1);
  add_plain(t, "cr.lid", &Registers::lid);
  add_plain(t, "cr.tpr", &Registers::tpr);
  for (unsigned i = 0; i < 4; i++)
    t.push_back({fmt::format("cr.irr{}", i), [i](Core& c) { return c.sapic().irr(i); }, {}});
  t.push_back({"cr.itv", [](Core& c) { return c.regs().itv; }, [](Core& c, u64 v) { c.sapic().write_itv(v); }});
  add_plain(t, "cr.pmv", &Registers::pmv);
  add_plain(t, "cr.cmcv", &Registers::cmcv);
  add_plain(t, "cr.lrr0", &Registers::lrr0);
  add_plain(t, "cr.lrr1", &Registers::lrr1);
}

void add_indexed(Table& t) {
  for (unsigned i = 0; i < 8; i++)
    t.push_back({fmt::format("rr{}", i), [i](Core& c) { return c.regs().rr[i]; }, [i](Core& c, u64 v) { c.tlb().write_rr(i, v); }});
  for (unsigned i = 0; i < 16; i++)
    t.push_back({fmt::format("pkr{}", i), [i](Core& c) { return c.regs().pkr[i]; }, [i](Core& c, u64 v) { c.tlb().write_pkr(i, v); }});
  const auto debug = [&t](const char* name, u64 (Registers::*file)[8]) {
    for (unsigned i = 0; i < 8; i++)
      t.push_back({fmt::format("{}{}", name, i), [i, file](Core& c) { return (c.regs().*file)[i]; },
                   [i, file](Core& c, u64 v) { (c.regs().*file)[i] = v, c.tlb().debug_registers_changed(); }});
  };
  debug("ibr", &Registers::ibr);
  debug("dbr", &Registers::dbr);
  for (unsigned i = 0; i < 32; i++)
    t.push_back({fmt::format("pmc{}", i), [i](Core& c) { return c.regs().pmc[i]; }, [i](Core& c, u64 v) { c.regs().pmc[i] = v; }});
  for (unsigned i = 0; i < 64; i++)
    t.push_back({fmt::format("pmd{}", i), [i](Core& c) { return c.regs().pmd[i]; }, [i](Core& c, u64 v) { c.regs().pmd[i] = v; }});
}

/// "r17" -> 17 for prefix "r" and limit 128; nothing when the name is not of that form.
std::optional<unsigned> index_of(const std::string& name, const std::string& prefix, unsigned limit) {
  if (!name.starts_with(prefix) || name.size() == prefix.size() || name.size() > prefix.size() + 3) return {};
  unsigned n = 0;
  for (const char c : name.substr(prefix.size())) {
    if (c < '0' || c > '9') return {};
    n = n * 10 + static_cast<unsigned>(c - '0');
  }
  return n < limit ? std::optional<unsigned>(n) : std::nullopt;
}

Error invalid(const std::string& name, const std::string& value, const char* why) {
  return {ErrorKind::Invalid, fmt::format("set {}={}: {}", name, value, why)};
}

Result<void> set_general(Core& core, const std::string& name, unsigned r, bool nat, const std::string& value) {
  auto v = parse_number(value, "set " + name);
  if (!v) return v.error();
  if (r == 0) return invalid(name, value, "r0 is always 0");
  if (r >= 32u + core.regs().cfm.sof) return invalid(name, value, "lies outside the current frame; set cfm first");
  Registers& g = core.regs();
  nat ? g.set_gr_nat(r, g.gr(r), *v & 1) : g.set_gr(r, *v);
  return {};
}

Result<void> set_floating(Core& core, const std::string& name, unsigned f, const std::string& value) {
  const auto colon = value.find(':');
  if (f < 2) return invalid(name, value, "f0 and f1 are constants");
  if (colon == std::string::npos) return invalid(name, value, "expected SIGN_EXPONENT:SIGNIFICAND");
  auto sign_exp = parse_number(value.substr(0, colon), "set " + name);
  auto significand = parse_number(value.substr(colon + 1), "set " + name);
  if (!sign_exp) return sign_exp.error();
  if (!significand) return significand.error();
  if (*sign_exp >> 18) return invalid(name, value, "sign and exponent have 18 bits");
  const u64 psr = core.regs().psr;
  core.regs().set_fr(f, {*significand, static_cast<u32>(*sign_exp), 0});
  core.regs().psr = psr;  // not a guest write: mfl and mfh stay
  return {};
}

Result<void> set_special(Core& core, const std::string& name, u64 v, bool& known) {
  Registers& r = core.regs();
  known = true;
  if (name == "pr") {
    for (unsigned p = 1; p < 64; p++) r.set_pr(p, (v >> p) & 1);
  } else if (name == "cfm") {
    r.cfm = cpu::Cfm::unpack(v);
    if (r.cfm.sof > cpu::kStackedRegisters || r.cfm.sol > r.cfm.sof || r.cfm.sor > r.cfm.sof)
      return Error{ErrorKind::Invalid, fmt::format("set cfm={:#x}: not a legal frame", v)};
  } else if (name == "psr") {
    core.set_psr(v & ~cpu::psr::kRi);
    r.slot = static_cast<u8>(field(v, cpu::psr::kRiPos, 2));
  } else if (name == "ip") {
    r.ip = v & ~u64{15};
  } else if (auto p = index_of(name, "p", 64)) {
    r.set_pr(*p, v & 1);
  } else if (auto b = index_of(name, "b", 8)) {
    r.br[*b] = v;
  } else {
    known = false;
  }
  return {};
}

}  // namespace

const std::vector<NamedRegister>& named_registers() {
  static const Table table = [] {
    Table t;
    add_application(t);
    add_control(t);
    add_indexed(t);
    return t;
  }();
  return table;
}

Result<void> set_register(Core& core, const std::string& name, const std::string& value) {
  const bool nat = name.ends_with(".nat");
  const std::string base = nat ? name.substr(0, name.size() - 4) : name;
  for (const char* prefix : {"r", "gr"})
    if (auto r = index_of(base, prefix, 128)) return set_general(core, name, *r, nat, value);
  for (const char* prefix : {"f", "fr"})
    if (auto f = index_of(name, prefix, 128)) return set_floating(core, name, *f, value);
  auto v = parse_number(value, "set " + name);
  if (!v) return v.error();
  bool known = false;
  if (auto ok = set_special(core, name, *v, known); !ok || known) return ok;
  for (const NamedRegister& r : named_registers()) {
    if (r.name != name) continue;
    if (!r.set) return invalid(name, value, "is read only");
    r.set(core, *v);
    return {};
  }
  return invalid(name, value, "no such register");
}

}  // namespace ia64::machine
