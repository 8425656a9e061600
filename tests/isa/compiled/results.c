/* Where a freestanding program leaves its results, and the memory functions the compiler calls for structures. */
#include "program.h"

u64 results[RESULTS] __attribute__((section(".data")));

void* memcpy(void* to, const void* from, unsigned long size) {
  char* t = to;
  const char* f = from;
  while (size--) *t++ = *f++;
  return to;
}

void* memset(void* to, int value, unsigned long size) {
  char* t = to;
  while (size--) *t++ = (char)value;
  return to;
}
