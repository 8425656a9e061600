// GDB's register numbers to the register file.
#include "machine/debugger/ia64_target.h"

#include "base/endian.h"
#include "machine/debugger/backing_store.h"

namespace ia64::machine::debugger {
namespace {

using cpu::FpReg;
using cpu::Registers;
constexpr unsigned kFpBytes = 16;
constexpr unsigned kIpSlots = 3;

/// Application registers that are plain 64-bit fields. `writable` holds the bits software could set.
struct PlainAr {
  unsigned number;
  u64 Registers::*field;
  u64 writable;
};
constexpr u64 kAll = ~u64{0};
constexpr PlainAr kPlain[] = {
    {cpu::ar::kRsc, &Registers::rsc, low_mask(5) | low_mask(14) << 16},
    {cpu::ar::kBspstore, &Registers::bspstore, 0},
    {cpu::ar::kFcr, &Registers::fcr, 0},
    {cpu::ar::kEflag, &Registers::eflag, 0},
    {cpu::ar::kCsd, &Registers::csd, kAll},
    {cpu::ar::kSsd, &Registers::ssd, kAll},
    {cpu::ar::kCflg, &Registers::cflg, 0},
    {cpu::ar::kFsr, &Registers::fsr, 0},
    {cpu::ar::kFir, &Registers::fir, 0},
    {cpu::ar::kFdr, &Registers::fdr, 0},
    {cpu::ar::kCcv, &Registers::ccv, kAll},
    {cpu::ar::kUnat, &Registers::unat, kAll},
    {cpu::ar::kPfs, &Registers::pfs, low_mask(38) | low_mask(6) << 52 | low_mask(2) << 62},
    {cpu::ar::kLc, &Registers::lc, kAll},
};

const PlainAr* plain_ar(unsigned number) {
  for (const PlainAr& a : kPlain)
    if (a.number == number) return &a;
  return nullptr;
}

std::optional<u64> read_ar(cpu::Core& core, unsigned n) {
  const Registers& r = core.regs();
  if (n < 8) return r.kr[n];
  if (const PlainAr* a = plain_ar(n)) return r.*a->field;
  switch (n) {
    case cpu::ar::kBsp: return BackingStore::end_of_frame(core);
    case cpu::ar::kRnat: return BackingStore(core).partial_collection();
    case cpu::ar::kFpsr: return r.fpsr;
    case cpu::ar::kItc: return core.itc();
    case cpu::ar::kEc: return r.ec;
    default: return std::nullopt;
  }
}

bool write_ar(Registers& r, unsigned n, u64 v) {
  if (n < 8) return r.kr[n] = v, true;
  if (n == cpu::ar::kEc) return r.ec = static_cast<u8>(v & 63), true;
  const PlainAr* const a = plain_ar(n);
  if (!a || !a->writable || (v & ~a->writable)) return false;
  return r.*a->field = v, true;
}

u64 all_predicates(const Registers& r) {
  u64 v = 0;
  for (unsigned p = 0; p < 64; p++) v |= u64{r.pr_phys[p]} << p;
  return v;
}

void set_all_predicates(Registers& r, u64 v) {
  for (unsigned p = 1; p < 64; p++) r.pr_phys[p] = static_cast<u8>(v >> p & 1);
}

std::optional<u64> read_word(cpu::Core& core, unsigned n) {
  const Registers& r = core.regs();
  if (n < 32) return r.gr_static[n];
  if (n >= gdb::kBr0 && n < gdb::kVfp) return r.br[n - gdb::kBr0];
  if (n >= gdb::kAr0) return read_ar(core, n - gdb::kAr0);
  switch (n) {
    case gdb::kPr: return all_predicates(r);
    case gdb::kIp: return r.ip;
    case gdb::kPsr: return core.full_psr();
    case gdb::kCfm: return r.cfm.pack();
    default: return std::nullopt;
  }
}

bool write_psr(cpu::Core& core, u64 v) {
  const u64 slot = field(v, cpu::psr::kRiPos, 2);
  if (slot >= kIpSlots) return false;
  core.set_psr(v);
  core.regs().slot = static_cast<u8>(slot);
  return true;
}

bool write_word(cpu::Core& core, unsigned n, u64 v) {
  Registers& r = core.regs();
  if (n == 0) return false;
  if (n < 32) {
    if (r.gr_static[n] != v) r.set_gr(n, v);  // what is sent back unchanged keeps its NaT
    return true;
  }
  if (n >= gdb::kBr0 && n < gdb::kVfp) return r.br[n - gdb::kBr0] = v, true;
  if (n >= gdb::kAr0) return write_ar(r, n - gdb::kAr0, v);
  switch (n) {
    case gdb::kPr: return set_all_predicates(r, v), true;
    case gdb::kIp: return r.ip = align_down(v, 16), true;
    case gdb::kPsr: return write_psr(core, v);
    default: return false;
  }
}

bool is_float(unsigned n) { return n >= gdb::kFr0 && n < gdb::kPr0; }

std::vector<u8> read_float(const FpReg& f) {
  std::vector<u8> out(kFpBytes);
  store_le<u64>(&out[0], f.significand);
  store_le<u64>(&out[8], f.sign_exp);
  return out;
}

bool write_float(Registers& r, unsigned f, std::span<const u8> in) {
  if (f < 2) return false;
  r.fr_phys[f] = {load_le<u64>(&in[0]), static_cast<u32>(load_le<u64>(&in[8]) & low_mask(18)), 0};
  return true;
}

}  // namespace

unsigned register_bytes(unsigned number) { return is_float(number) ? kFpBytes : 8; }

std::optional<std::vector<u8>> read_register(cpu::Core& core, unsigned number) {
  if (is_float(number)) return read_float(core.regs().fr_phys[number - gdb::kFr0]);
  const auto value = read_word(core, number);
  if (!value) return std::nullopt;
  std::vector<u8> out(8);
  store_le<u64>(out.data(), *value);
  return out;
}

bool write_register(cpu::Core& core, unsigned number, std::span<const u8> value) {
  if (number >= gdb::kRawRegisters || value.size() != register_bytes(number)) return false;
  if (is_float(number)) return write_float(core.regs(), number - gdb::kFr0, value);
  return write_word(core, number, load_le<u64>(value.data()));
}

u64 program_counter(const cpu::Core& core) { return core.regs().ip | core.regs().slot; }

void set_program_counter(cpu::Core& core, u64 pc) {
  core.regs().ip = align_down(pc, 16);
  core.regs().slot = static_cast<u8>(std::min<u64>(pc & 15, kIpSlots - 1));
}

std::string target_description() {
  return "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
         "<target version=\"1.0\"><architecture>ia64-elf64</architecture></target>\n";
}

}  // namespace ia64::machine::debugger
