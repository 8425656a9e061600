// The %-fields of the rows' text templates: operands, immediates and hint completers.
#include "cpu/disasm/operand_text.h"

#include <fmt/format.h>

#include <iterator>

#include "base/bits.h"
#include "cpu/disasm/register_names.h"

namespace ia64::cpu {
namespace {

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}
void put_register(std::string& out, char file, unsigned n) {
  out += file;
  put(out, "{}", n);
}
void put_hex(std::string& out, u64 v) { put(out, "{:#x}", v); }

void put_application(std::string& out, unsigned n) {
  if (const char* name = application_register_name(n)) out += name;
  else put(out, "ar{}", n);
}
void put_control(std::string& out, unsigned n) {
  if (const char* name = control_register_name(n)) out += name;
  else put(out, "cr{}", n);
}

// .d1 to .d7 are the hints of later processors; this one ignores them.
constexpr const char* kLoadHints[] = {"", ".nt1", ".d2", ".nta", ".d4", ".d5", ".d6", ".d7"};
constexpr const char* kStoreHints[] = {"", ".d1", ".d2", ".nta", ".d4", ".d5", ".d6", ".d7"};
constexpr const char* kPrefetchHints[] = {"", ".nt1", ".nt2", ".nta", ".d4", ".d5", ".d6", ".d7"};
constexpr const char* kWhether[] = {".sptk", ".spnt", ".dptk", ".dpnt"};
constexpr const char* kWhether3[] = {"", ".sptk", "", ".spnt", "", ".dptk", "", ".dpnt"};
constexpr const char* kPredictWhether[] = {".sptk", ".loop", ".dptk", ".exit"};
constexpr const char* kIndirectPredictWhether[] = {".sptk", "", ".dptk", ""};
constexpr const char* kMoveWhether[] = {".sptk", "", ".dptk", ""};

/// mbtype4 of mux1. @source SDM vol. 3, mux
void put_mux1_type(std::string& out, u64 type) {
  static constexpr const char* kNames[] = {"@mix", "@shuf", "@alt", "@rev"};
  if (type == 0) out += "@brcst";
  else if (type >= 8 && type <= 11) out += kNames[type - 8];
  else put_hex(out, type);
}

void put_move_to_branch_hints(std::string& out, unsigned x) {
  if (x & 8) out += ".ret";
  out += kMoveWhether[x & 3];
  if (x & 4) out += ".imp";
}

u64 predict_tag(const Insn& i, u64 ip) { return ip + (sign_extend(u64{i.pos} << 7 | i.p1, 9) << 4); }

struct Field {
  std::string_view name;
  OperandPrinter print;
};

constexpr Field kFields[] = {
    {"r1", [](std::string& o, const Insn& i, u64) { put_register(o, 'r', i.r1); }},
    {"r2", [](std::string& o, const Insn& i, u64) { put_register(o, 'r', i.r2); }},
    {"r3", [](std::string& o, const Insn& i, u64) { put_register(o, 'r', i.r3); }},
    {"f1", [](std::string& o, const Insn& i, u64) { put_register(o, 'f', i.r1); }},
    {"f2", [](std::string& o, const Insn& i, u64) { put_register(o, 'f', i.r2); }},
    {"f3", [](std::string& o, const Insn& i, u64) { put_register(o, 'f', i.r3); }},
    {"f4", [](std::string& o, const Insn& i, u64) { put_register(o, 'f', i.r4); }},
    {"b1", [](std::string& o, const Insn& i, u64) { put_register(o, 'b', i.r1); }},
    {"b2", [](std::string& o, const Insn& i, u64) { put_register(o, 'b', i.r2); }},
    {"p1", [](std::string& o, const Insn& i, u64) { put_register(o, 'p', i.p1); }},
    {"p2", [](std::string& o, const Insn& i, u64) { put_register(o, 'p', i.p2); }},
    {"ar3", [](std::string& o, const Insn& i, u64) { put_application(o, i.r3); }},
    {"cr3", [](std::string& o, const Insn& i, u64) { put_control(o, i.r3); }},
    {"imm", [](std::string& o, const Insn& i, u64) { put(o, "{}", static_cast<i64>(i.imm)); }},
    {"hex", [](std::string& o, const Insn& i, u64) { put_hex(o, i.imm); }},
    {"pos", [](std::string& o, const Insn& i, u64) { put(o, "{}", i.pos); }},
    {"len", [](std::string& o, const Insn& i, u64) { put(o, "{}", i.len); }},
    {"target", [](std::string& o, const Insn& i, u64 ip) { put_hex(o, ip + i.imm); }},
    {"ptag", [](std::string& o, const Insn& i, u64 ip) { put_hex(o, predict_tag(i, ip)); }},
    {"mbtype", [](std::string& o, const Insn& i, u64) { put_mux1_type(o, i.imm); }},
    {"alloc",
     [](std::string& o, const Insn& i, u64) {
       put(o, "{},{},{}", field(i.imm, 0, 7), field(i.imm, 7, 7), field(i.imm, 14, 4) * 8);
     }},
    {"amask", [](std::string& o, const Insn& i, u64) { put_hex(o, field(i.imm, 0, 7)); }},
    {"omask", [](std::string& o, const Insn& i, u64) { put_hex(o, field(i.imm, 7, 7)); }},
    {"sf", [](std::string& o, const Insn& i, u64) { put(o, ".s{}", i.x & 3); }},
    {"ldh", [](std::string& o, const Insn& i, u64) { o += kLoadHints[i.x & 7]; }},
    {"sth", [](std::string& o, const Insn& i, u64) { o += kStoreHints[i.x & 7]; }},
    {"lfh", [](std::string& o, const Insn& i, u64) { o += kPrefetchHints[i.x & 7]; }},
    {"bwh", [](std::string& o, const Insn& i, u64) { o += kWhether[i.x & 3]; }},
    {"bwh3", [](std::string& o, const Insn& i, u64) { o += kWhether3[i.x & 7]; }},
    {"ph", [](std::string& o, const Insn& i, u64) { o += i.x & 8 ? ".many" : ".few"; }},
    {"dh", [](std::string& o, const Insn& i, u64) { o += i.x & 16 ? ".clr" : ""; }},
    {"ipwh", [](std::string& o, const Insn& i, u64) { o += kPredictWhether[i.x & 3]; }},
    {"indwh", [](std::string& o, const Insn& i, u64) { o += kIndirectPredictWhether[i.x & 3]; }},
    {"ih", [](std::string& o, const Insn& i, u64) { o += i.x & 4 ? ".imp" : ""; }},
    {"movbr", [](std::string& o, const Insn& i, u64) { put_move_to_branch_hints(o, i.x); }},
};

}  // namespace

OperandPrinter operand_printer(std::string_view name) {
  for (const Field& f : kFields)
    if (f.name == name) return f.print;
  return nullptr;
}

}  // namespace ia64::cpu
