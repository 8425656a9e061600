// Sleep of a processor that is halted, on a futex.
#include "cpu/sleeper.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace ia64::cpu {

namespace {

timespec after(std::chrono::nanoseconds time) {
  constexpr i64 kNsPerSecond = 1'000'000'000;
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  const i64 ns = t.tv_nsec + time.count() % kNsPerSecond;
  t.tv_sec += time.count() / kNsPerSecond + ns / kNsPerSecond;
  t.tv_nsec = ns % kNsPerSecond;
  return t;
}

}  // namespace

bool Sleeper::sleep(std::chrono::nanoseconds time) {
  u32 expected = kAwake;
  if (time.count() > 0 && state_.compare_exchange_strong(expected, kAsleep)) {
    const timespec until = after(time);
    long result;
    do {
      result = syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, kAsleep, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    } while (state_.load() == kAsleep && !(result < 0 && errno == ETIMEDOUT));
    expected = kAsleep;
    state_.compare_exchange_strong(expected, kAwake);
  }
  return state_.load() == kWoken;
}

void Sleeper::wake() {
  if (state_.exchange(kWoken) == kAsleep) syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace ia64::cpu
