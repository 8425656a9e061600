// Pseudo-operations. @source SDM vol. 3, ch. 2 (the pseudo-op of each instruction page)
#include "cpu/disasm/aliases.h"

#include <iterator>

namespace ia64::cpu {
namespace {

bool imm_zero(const Insn& i) { return i.imm == 0; }
bool r3_zero(const Insn& i) { return i.r3 == 0; }
bool to_top(const Insn& i) { return i.pos + i.len == 64; }
bool f2_zero(const Insn& i) { return i.r2 == 0; }
bool f4_one(const Insn& i) { return i.r4 == 1; }
bool f2_zero_f4_one(const Insn& i) { return i.r2 == 0 && i.r4 == 1; }
bool same_sources(const Insn& i) { return i.r2 == i.r3; }
bool plain_branch(const Insn& i) { return i.qp == 0 && (i.x & 3) == 0; }

#define MULTIPLY_ADD(suffix, dot) \
  {"fma" suffix "_f1", f2_zero_f4_one, "fnorm" dot "%sf %f1=%f3"}, \
  {"fma" suffix "_f1", f2_zero, "fmpy" dot "%sf %f1=%f3,%f4"}, \
  {"fma" suffix "_f1", f4_one, "fadd" dot "%sf %f1=%f3,%f2"}, \
  {"fms" suffix "_f1", f4_one, "fsub" dot "%sf %f1=%f3,%f2"}, \
  {"fnma" suffix "_f1", f2_zero, "fnmpy" dot "%sf %f1=%f3,%f4"}

constexpr Alias kAliases[] = {
    {"adds_a4", imm_zero, "mov %r1=%r3"},
    {"addl_a5", r3_zero, "mov %r1=%imm"},
    {"dep_z_i12", to_top, "shl %r1=%r2,%pos"},
    {"extr_i11", to_top, "shr %r1=%r3,%pos"},
    {"extr_u_i11", to_top, "shr.u %r1=%r3,%pos"},
    {"mov_i21", [](const Insn& i) { return i.x == 1; }, "mov %b1=%r2"},
    {"br_cond_b1", plain_branch, "br%ph%dh %target"},
    {"br_cond_b4", plain_branch, "br%ph%dh %b2"},
    {"brl_cond_x3", plain_branch, "brl%ph%dh %target"},
    MULTIPLY_ADD("", ""),
    MULTIPLY_ADD("_s", ".s"),
    MULTIPLY_ADD("_d", ".d"),
    {"fpma_f1", f2_zero, "fpmpy%sf %f1=%f3,%f4"},
    {"fpnma_f1", f2_zero, "fpnmpy%sf %f1=%f3,%f4"},
    {"xma_l_f2", f2_zero, "xmpy.l %f1=%f3,%f4"},
    {"xma_h_f2", f2_zero, "xmpy.h %f1=%f3,%f4"},
    {"xma_hu_f2", f2_zero, "xmpy.hu %f1=%f3,%f4"},
    {"fmerge_s_f9", same_sources, "mov %f1=%f2"},
    {"fmerge_s_f9", f2_zero, "fabs %f1=%f3"},
    {"fmerge_ns_f9", same_sources, "fneg %f1=%f3"},
    {"fmerge_ns_f9", f2_zero, "fnegabs %f1=%f3"},
    {"fpmerge_s_f9", f2_zero, "fpabs %f1=%f3"},
    {"fpmerge_ns_f9", same_sources, "fpneg %f1=%f3"},
    {"fpmerge_ns_f9", f2_zero, "fpnegabs %f1=%f3"},
};

}  // namespace

const Alias* alias_begin() { return std::begin(kAliases); }
const Alias* alias_end() { return std::end(kAliases); }

}  // namespace ia64::cpu
