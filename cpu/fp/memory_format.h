// Conversions between register format and the memory and general-register formats, as ldf*/stf*/setf/getf do
// them. None of them rounds, signals or normalises; NaTVal rules (faults, NaT bits) are the caller's
// business.
// @source SDM vol. 1, 5.1.1 to 5.1.3 and 5.3 (figures "memory to floating-point register data translation"
// and back)
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu::fp {

/// The memory image of a spilled or extended register, as numbers (byte order is applied by the access).
struct Extended {
  u64 significand = 0;
  u16 sign_exp = 0;  ///< sign in bit 15, exponent (bias 16383) in bits 14:0
};
struct Spill {
  u64 low = 0;   ///< bytes 0..7 of a little-endian image: the significand
  u64 high = 0;  ///< bytes 8..15: exponent in bits 16:0, sign in bit 17, zeros above
};

/// `ldfs`, `ldfps`, `setf.s`: a denormal keeps its fraction unnormalised under exponent 0xff81.
constexpr FpReg from_single(u32 v) {
  const u32 sign = v >> 31 << 17, e = (v >> 23) & 0xff;
  const u64 fraction = u64{v & 0x7fffff} << 40;
  if (e - 1 < 0xfe) [[likely]]
    return {fraction | bit(63), sign | (e + 0xff80), 0};
  if (e == 0xff) return {fraction | bit(63), sign | 0x1ffff, 0};
  return {fraction, sign | (fraction ? 0xff81u : 0u), 0};
}

/// `ldfd`, `ldfpd`, `setf.d`: a denormal keeps its fraction unnormalised under exponent 0xfc01.
constexpr FpReg from_double(u64 v) {
  const u32 sign = static_cast<u32>(v >> 63) << 17, e = static_cast<u32>(v >> 52) & 0x7ff;
  const u64 fraction = v << 12 >> 1;
  if (e - 1 < 0x7fe) [[likely]]
    return {fraction | bit(63), sign | (e + 0xfc00), 0};
  if (e == 0x7ff) return {fraction | bit(63), sign | 0x1ffff, 0};
  return {fraction, sign | (fraction ? 0xfc01u : 0u), 0};
}

/// `ldfe`: exponent 0 stays 0, where it means 2^-16382 when the significand is not zero (denormals and
/// pseudo-denormals).
/// @param sign_exp bits 79:64 of the memory image
constexpr FpReg from_extended(u64 significand, u16 sign_exp) {
  const u32 sign = u32{sign_exp} >> 15 << 17, e = sign_exp & 0x7fff;
  if (e == 0) return {significand, sign, 0};
  return {significand, sign | (e == 0x7fff ? 0x1ffff : e + 0xc000), 0};
}

/// `ldf8`, `ldfp8`, `setf.sig`: a 64-bit integer as significand.
constexpr FpReg from_integer(u64 v) {
  return {v, kFpIntegerExponent, 0};
}

/// `setf.exp`: sign and exponent from bits 17:0, significand 1.0.
constexpr FpReg from_exponent(u64 v) {
  return {bit(63), static_cast<u32>(v & 0x3ffff), 0};
}

/// `ldf.fill`: exact; bits above 81 of the image are ignored.
constexpr FpReg from_spill(u64 low, u64 high) {
  return {low, static_cast<u32>(high & 0x3ffff), 0};
}

/// `stfs`, `getf.s`: the top bit and the low seven bits of the exponent, 0 when the integer bit is clear; the
/// fraction is cut off.
constexpr u32 to_single(const FpReg& f) {
  const u32 e = f.significand >> 63 ? (f.sign_exp >> 9 & 0x80) | (f.sign_exp & 0x7f) : 0;
  return u32{f.sign()} << 31 | e << 23 | static_cast<u32>(field(f.significand, 40, 23));
}

/// `stfd`, `getf.d`: the top bit and the low ten bits of the exponent, 0 when the integer bit is clear; the
/// fraction is cut off.
constexpr u64 to_double(const FpReg& f) {
  const u64 e = f.significand >> 63 ? (f.sign_exp >> 6 & 0x400) | (f.sign_exp & 0x3ff) : 0;
  return u64{f.sign()} << 63 | e << 52 | field(f.significand, 11, 52);
}

/// `stfe`: the top bit and the low fourteen bits of the exponent, and the whole significand.
constexpr Extended to_extended(const FpReg& f) {
  return {f.significand,
          static_cast<u16>(u32{f.sign()} << 15 | (f.sign_exp >> 2 & 0x4000) | (f.sign_exp & 0x3fff))};
}

/// `stf8`, `getf.sig`: the significand.
constexpr u64 to_integer(const FpReg& f) {
  return f.significand;
}

/// `getf.exp`: sign in bit 17, exponent in bits 16:0.
constexpr u64 to_exponent(const FpReg& f) {
  return f.sign_exp;
}

/// `stf.spill`: exact. NaTVal needs no special case: its image refills as NaTVal.
constexpr Spill to_spill(const FpReg& f) {
  return {f.significand, f.sign_exp};
}

}  // namespace ia64::cpu::fp
