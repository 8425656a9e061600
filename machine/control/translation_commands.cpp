// Commands about address translation: TLB contents, the VHPT walk of an address, where an address leads.
#include <fmt/format.h>

#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"
#include "cpu/mmu/vhpt.h"
#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

using cpu::TlbEntry;
namespace pte = cpu::pte;

std::string size_text(unsigned ps) {
  static constexpr const char* kUnits[] = {"B", "K", "M", "G", "T", "P", "E"};
  return fmt::format("{}{}", u64{1} << ps % 10, kUnits[ps / 10]);
}

const char* attribute_name(cpu::MemoryAttribute attribute) {
  switch (attribute) {
    case cpu::MemoryAttribute::WriteBack: return "wb";
    case cpu::MemoryAttribute::Uncacheable: return "uc";
    case cpu::MemoryAttribute::UncacheableExported: return "uce";
    case cpu::MemoryAttribute::WriteCoalescing: return "wc";
    case cpu::MemoryAttribute::NatPage: return "natpage";
  }
  return "reserved";
}

/// "rw-/r--": rights at privilege level 0 and 3.
std::string rights_text(const TlbEntry& e) {
  std::string out;
  for (const unsigned cpl : {0u, 3u}) {
    const u8 rights = cpu::page_rights(e.access_rights(), e.privilege(), cpl);
    out += cpl ? "/" : "";
    out += rights & cpu::kRightRead ? 'r' : '-';
    out += rights & cpu::kRightWrite ? 'w' : '-';
    out += rights & cpu::kRightExecute ? 'x' : '-';
  }
  return out;
}

std::string flags_text(const TlbEntry& e) {
  std::string out = e.present() ? "p" : "-";
  out += e.accessed() ? 'a' : '-';
  out += e.dirty() ? 'd' : '-';
  return out + (e.exception_deferral() ? "e" : "-");
}

Json describe(const TlbEntry& e) {
  return {{"rid", hex(e.rid)},
          {"offset", hex(e.va)},
          {"size", size_text(e.ps)},
          {"physical", hex(e.physical(e.va) & ~low_mask(e.ps))},
          {"attribute", attribute_name(e.attribute())},
          {"rights", rights_text(e)},
          {"flags", flags_text(e)},
          {"key", hex(e.key)}};
}

/// Regions whose register holds `rid` now: where the entry can be reached.
std::string regions_of(const cpu::Registers& r, u32 rid) {
  std::string out;
  for (unsigned n = 0; n < 8; n++)
    if (field(r.rr[n], 8, 24) == rid) out += fmt::format("{}{}", out.empty() ? "" : ",", n);
  return out.empty() ? "-" : out;
}

Result<Json> tlb(Call& call) {
  static constexpr const char* kKinds[] = {"itr", "dtr", "itc", "dtc"};
  const cpu::Core& core = call.context.machine->core();
  const std::string wanted = call.arguments.text("kind");
  Json rows = Json::array();
  for (const cpu::TranslationInfo& t : core.tlb().translations()) {
    const char* const kind = kKinds[static_cast<unsigned>(t.kind)];
    if (!wanted.empty() && wanted != kind && !(wanted == "tr" && kind[2] == 'r') && !(wanted == "tc" && kind[2] == 'c')) continue;
    Json row = {{"kind", kind}, {"number", t.index}, {"regions", regions_of(core.regs(), t.entry.rid)}};
    row.update(describe(t.entry));
    rows.push_back(std::move(row));
  }
  return Json{{"translations", std::move(rows)}};
}

std::string on_off(bool on) { return on ? "on" : "off"; }

Result<Json> vhpt(Call& call) {
  auto where = place_of(call, "address");
  if (!where) return where.error();
  const cpu::Core& core = call.context.machine->core();
  const cpu::Registers& r = core.regs();
  const u64 va = *where, rr = r.rr[va >> 61];
  Json lines = Json::array();
  const auto say = [&]<class... A>(fmt::format_string<A...> f, A&&... a) { lines.push_back(fmt::format(f, std::forward<A>(a)...)); };
  say("{:#x}: region {}, rr {:#x}: rid {:#x}, pages of {}, walker {} for the region", va, va >> 61, rr, field(rr, 8, 24),
      size_text(static_cast<unsigned>(field(rr, 2, 6))), on_off(rr & 1));
  say("pta {:#x}: walker {}, {} format, table of {} at {:#x}", r.pta, on_off(r.pta & 1), r.pta & bit(8) ? "long" : "short",
      size_text(static_cast<unsigned>(field(r.pta, 2, 6))), r.pta & ~low_mask(15));
  const auto serves = [&](cpu::mmu::Asker asker) { return cpu::mmu::walker_enabled(core, va, asker) ? "yes" : "no"; };
  say("serves data: {}, register stack: {}, code: {} (by psr.dt, rt, it and ic)", serves(cpu::mmu::Asker::Data), serves(cpu::mmu::Asker::Rse),
      serves(cpu::mmu::Asker::Instruction));
  cpu::mmu::VhptEntry entry;
  const auto result = cpu::mmu::walk_vhpt(core, va, entry);
  say("hash: entry at {:#x}", entry.address);
  if (r.pta & bit(8)) say("tag wanted: {:#x}", cpu::mmu::vhpt_tag(core, va));
  GuestPhys phys = 0;
  if (const TlbEntry* mapping = core.tlb().find_data(entry.address))
    say("the entry lies at physical {:#x} ({}, {})", mapping->physical(entry.address), attribute_name(mapping->attribute()), rights_text(*mapping));
  else if (cpu::mmu::find_physical(core, entry.address, false, true, false, phys))
    say("the entry lies at physical {:#x}", phys);
  switch (result) {
    case cpu::mmu::WalkResult::TableNotMapped: say("no data translation for the entry: VHPT Translation fault"); break;
    case cpu::mmu::WalkResult::NotFound: say("tag mismatch, reserved contents or a table that cannot be read: TLB fault"); break;
    case cpu::mmu::WalkResult::Found: {
      const TlbEntry e = cpu::make_tlb_entry(va, static_cast<u32>(field(rr, 8, 24)), entry.pte, entry.itir);
      say("pte {:#x}, itir {:#x}: {}, {}, {}, pages of {}", entry.pte, entry.itir, attribute_name(e.attribute()), rights_text(e), flags_text(e),
          size_text(e.ps));
      say("{} {:#x}", e.present() ? "found: physical" : "found, but not present: physical would be", e.physical(va));
    }
  }
  return Json{{"lines", std::move(lines)}};
}

/// How one side of the processor sees an address.
Json side_of(const cpu::Core& core, u64 va, bool instruction) {
  const bool on = core.regs().psr & (instruction ? cpu::psr::kIt : cpu::psr::kDt);
  if (!on) return {{"side", instruction ? "code" : "data"}, {"translation", "off"}, {"by", "nothing"}, {"physical", hex(va & ~bit(63))}};
  const TlbEntry* entry = instruction ? core.tlb().find_instruction(va) : core.tlb().find_data(va);
  Json row = {{"side", instruction ? "code" : "data"}, {"translation", "on"}};
  GuestPhys phys = 0;
  const bool found = cpu::mmu::find_physical(core, va, instruction, true, true, phys);
  row["by"] = !found ? "nothing" : entry ? "TLB" : "VHPT";
  row["physical"] = found ? hex(phys) : "-";
  if (!entry) return row;
  row["size"] = size_text(entry->ps);
  row["attribute"] = attribute_name(entry->attribute());
  row["rights"] = rights_text(*entry);
  row["flags"] = flags_text(*entry);
  row["key"] = hex(entry->key);
  return row;
}

Result<Json> translate(Call& call) {
  auto where = place_of(call, "address");
  if (!where) return where.error();
  const cpu::Core& core = call.context.machine->core();
  const u64 rr = core.regs().rr[*where >> 61];
  Json sides = Json::array({side_of(core, *where, false), side_of(core, *where, true)});
  Json out = {{"address", hex(*where)}, {"region", *where >> 61}, {"rid", hex(field(rr, 8, 24))}};
  if (const std::string name = desk_of(call).symbols().name_of(*where); !name.empty()) out["symbol"] = name;
  if (cpu::mmu::is_unimplemented_virtual(core, *where)) out["note"] = "unimplemented as a virtual address";
  out["sides"] = std::move(sides);
  return out;
}

}  // namespace

std::vector<CommandRow> translation_commands() {
  using enum ArgumentType;
  static constexpr const char* kPlace = "a number, symbol or register, with +number or -number";
  return {
      {"translate", nullptr, {{"address", Text, true, kPlace}}, Where::Machine, translate, "where an address leads, as data and as code"},
      {"tlb", nullptr, {{"kind", Text, false, "itr, dtr, itc, dtc, tr or tc; without it, all"}}, Where::Machine, tlb,
       "translation registers and caches; rights at privilege levels 0/3; flags: present, accessed, dirty, exception deferral"},
      {"vhpt", nullptr, {{"address", Text, true, kPlace}}, Where::Machine, vhpt, "the walk of the page table for an address, step by step"},
  };
}

}  // namespace ia64::machine::control
