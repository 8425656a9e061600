// Links written into code.
#include "cpu/jit/native_block.h"

#include <cstring>

namespace ia64::cpu::jit {

void Link::lead_to(const void* to) {
  target = to;
  if (!jump_end) return;
  u8* const end = code + jump_end;
  const i32 distance = static_cast<i32>(static_cast<const u8*>(to) - end);
  std::memcpy(end - sizeof distance, &distance, sizeof distance);
}

void Link::keep_key(u64 fetch_key) {
  key = fetch_key;
  if (key_end) std::memcpy(code + key_end - sizeof key, &key, sizeof key);
}

}  // namespace ia64::cpu::jit
