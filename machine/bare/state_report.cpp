// JSON report of one processor.
#include "machine/bare/state_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cpu/mmu/tlb.h"
#include "machine/bare/registers_by_name.h"

namespace ia64::machine {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(u64 v) { return fmt::format("{:#x}", v); }

Json general_registers(const cpu::Registers& r) {
  Json out = Json::array();
  for (unsigned i = 0; i < 128; i++) {
    const bool in_frame = i < 32u + r.cfm.sof;
    out.push_back(in_frame ? Json(hex(r.gr(i))) : Json());
  }
  return out;
}

Json nat_registers(const cpu::Registers& r) {
  Json out = Json::array();
  for (unsigned i = 0; i < 32u + r.cfm.sof; i++)
    if (r.nat(i)) out.push_back(i);
  return out;
}

Json floating_registers(const cpu::Registers& r) {
  Json out = Json::array();
  for (unsigned i = 0; i < 128; i++) {
    const cpu::FpReg& f = r.fr(i);
    out.push_back({{"sign", f.sign() ? 1 : 0}, {"exponent", hex(f.exponent())}, {"significand", hex(f.significand)}});
  }
  return out;
}

Json named(cpu::Core& core, const std::string& prefix) {
  Json out = Json::object();
  for (const NamedRegister& r : named_registers())
    if (r.name.starts_with(prefix)) out[r.name.substr(prefix.size())] = hex(r.get(core));
  return out;
}

Json indexed(cpu::Core& core, const std::string& prefix) {
  Json out = Json::array();
  for (const NamedRegister& r : named_registers())
    if (r.name.starts_with(prefix) && r.name.size() > prefix.size() && std::isdigit(static_cast<unsigned char>(r.name[prefix.size()])))
      out.push_back(hex(r.get(core)));
  return out;
}

Json translations(cpu::Core& core) {
  static constexpr const char* kKinds[] = {"itr", "dtr", "itc", "dtc"};
  Json out = Json::array();
  for (const cpu::TranslationInfo& t : core.tlb().translations())
    out.push_back({{"kind", kKinds[static_cast<unsigned>(t.kind)]}, {"index", t.index}, {"rid", hex(t.entry.rid)}, {"va", hex(t.entry.va)},
                   {"ps", t.entry.ps}, {"pte", hex(t.entry.pte)}, {"key", hex(t.entry.key)}});
  return out;
}

Json interruptions(const cpu::Core& core) {
  Json out = Json::array();
  for (const cpu::InterruptionRecord& i : core.interruptions())
    out.push_back({{"name", cpu::vector_name(i.vector)}, {"vector", hex(static_cast<u64>(i.vector))}, {"isr", hex(i.isr)},
                   {"ifa", hex(i.ifa)}, {"iip", hex(i.iip)}, {"iipa", hex(i.iipa)}});
  return out;
}

}  // namespace

Json report_core(cpu::Core& core) {
  const cpu::Registers& r = core.regs();
  Json br = Json::array();
  for (const u64 b : r.br) br.push_back(hex(b));
  return {{"ip", hex(r.ip)},
          {"slot", r.slot},
          {"psr", hex(core.full_psr())},
          {"cfm", hex(r.cfm.pack())},
          {"gr", general_registers(r)},
          {"nat", nat_registers(r)},
          {"fr", floating_registers(r)},
          {"pr", hex(r.pr_all())},
          {"br", br},
          {"ar", named(core, "ar.")},
          {"cr", named(core, "cr.")},
          {"rr", indexed(core, "rr")},
          {"pkr", indexed(core, "pkr")},
          {"ibr", indexed(core, "ibr")},
          {"dbr", indexed(core, "dbr")},
          {"pmc", indexed(core, "pmc")},
          {"pmd", indexed(core, "pmd")},
          {"translations", translations(core)},
          {"insns", core.slots_retired()},
          {"interruptions_taken", core.interruptions_taken()},
          {"interruptions", interruptions(core)}};
}

}  // namespace ia64::machine
