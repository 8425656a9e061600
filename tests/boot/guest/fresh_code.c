/* A tiny code generator for the guest: makes functions, flushes them as the architecture asks, calls them, and checks what they return.
 *
 *   fresh_code SECONDS [BLOCKDEVICE]
 *
 * Each function adds its own constants to its argument. With a block device two of them are also put there, and read alternately by
 * direct I/O to the same address before each call, so that DMA replaces code that has been executed. Ends with "FRESH <functions> <dma calls>". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { kBundles = 64, kFunctionBytes = kBundles * 16, kFunctions = 4096, kCalls = 80, kPage = 16384 };

typedef struct { uint64_t lo, hi; } Bundle;
typedef uint64_t (*Function)(uint64_t);

static const uint64_t kNopI = 1ull << 27, kReturn = 0x21ull << 27 | 4 << 6; /* br.ret.sptk.few b0 */


static Bundle bundle(unsigned template, uint64_t s0, uint64_t s1, uint64_t s2) {
  return (Bundle){template | s0 << 5 | s1 << 46, s1 >> 18 | s2 << 23};
}

/* adds to = constant, from   (A4; constant 0..8191) */
static uint64_t adds(unsigned to, unsigned constant, unsigned from) {
  return 8ull << 37 | 2ull << 34 | (uint64_t)(constant >> 7 & 0x3f) << 27 | (uint64_t)from << 20 | (uint64_t)(constant & 0x7f) << 13 | to << 6;
}

static uint64_t random_state = 1;
static unsigned random_constant(void) {
  random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
  return random_state >> 40 & 0x1fff;
}

/* Writes a function and returns the sum of its constants. */
static uint64_t make(Bundle *code) {
  uint64_t sum = 0;
  for (unsigned n = 0; n < kBundles; n++) {
    const unsigned constant = random_constant();
    sum += constant;
    const uint64_t add = adds(8, constant, n ? 8 : 32);
    code[n] = n + 1 < kBundles ? bundle(0x01, add, kNopI, kNopI) : bundle(0x11, add, kNopI, kReturn); /* MII and MIB, a stop at the end */
  }
  return sum;
}

static void flush(const void *code, size_t bytes) {
  for (size_t n = 0; n < bytes; n += 32) __asm__ volatile("fc.i %0" ::"r"((const char *)code + n) : "memory");
  __asm__ volatile(";; sync.i ;; srlz.i ;;" ::: "memory");
}

static uint64_t call(const void *code, uint64_t argument) {
  const void *descriptor[2] = {code, 0};
  Function function;
  const void *p = descriptor;
  memcpy(&function, &p, sizeof p);
  __asm__ volatile("" ::"r"(p) : "memory"); /* the call reads the descriptor, which the compiler does not know */
  return function(argument);
}

static void check(const void *code, uint64_t sum, const char *what) {
  for (unsigned n = 0; n < kCalls; n++) {
    const uint64_t got = call(code, n);
    if (got != n + sum) {
      printf("WRONG %s: call %u gave %llu, not %llu\n", what, n, (unsigned long long)got, (unsigned long long)(n + sum));
      exit(1);
    }
  }
}

static void *code_memory(size_t bytes) {
  void *p = mmap(0, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) perror("mmap"), exit(1);
  return p;
}

/* A sweep of fresh functions; every other one in memory of its own. */
static unsigned sweep(time_t end) {
  static char *memory;
  static unsigned sweeps;
  const size_t bytes = (size_t)kFunctions * kFunctionBytes;
  if (memory && sweeps++ % 2) munmap(memory, bytes), memory = 0;
  if (!memory) memory = code_memory(bytes);
  unsigned n = 0;
  for (; n < kFunctions && time(0) < end; n++) {
    char *code = memory + (size_t)n * kFunctionBytes;
    const uint64_t sum = make((Bundle *)code);
    flush(code, kFunctionBytes);
    check(code, sum, "function written by stores");
  }
  return n;
}

static unsigned by_dma(const char *device, unsigned rounds) {
  const int fd = open(device, O_RDWR | O_DIRECT);
  if (fd < 0) perror(device), exit(1);
  char *code = code_memory(kPage);
  uint64_t sums[2];
  for (unsigned n = 0; n < 2; n++) {
    sums[n] = make((Bundle *)code);
    if (pwrite(fd, code, kPage, (off_t)n * kPage) != kPage) perror("write"), exit(1);
  }
  for (unsigned n = 0; n < rounds; n++) {
    if (pread(fd, code, kPage, (off_t)(n % 2) * kPage) != kPage) perror("read"), exit(1);
    __asm__ volatile(";; sync.i ;; srlz.i ;;" ::: "memory"); /* DMA keeps instruction caches coherent: no fc */
    check(code, sums[n % 2], "function read by DMA");
  }
  close(fd);
  return rounds;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: fresh_code SECONDS [BLOCKDEVICE]\n"), 2;
  const time_t end = time(0) + atoi(argv[1]);
  const unsigned dma = argc > 2 ? by_dma(argv[2], 200) : 0;
  unsigned long functions = 0;
  while (time(0) < end) functions += sweep(end);
  printf("FRESH %lu %u\n", functions, dma);
  return 0;
}
