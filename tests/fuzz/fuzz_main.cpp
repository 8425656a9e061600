// Runs a fuzzer over seeds, for a number of runs or of seconds, and names the seed that failed.
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/fuzz.h"

// Sanitizer reports end in SIGABRT, so that the handler below adds the seed.
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:detect_leaks=1";
}
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}

namespace {

volatile ia64::u64 current_seed = 0;

void on_signal(int number) {
  char text[96];
  const int n = std::snprintf(text, sizeof text, "\nfuzzer: %s in seed %llu\n",
                              number == SIGALRM || number == SIGPROF ? "a hang" : "a failure",
                              static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, text, static_cast<size_t>(n)) < 0) _exit(3);
  _exit(2);
}

}  // namespace

void ia64::fuzz::check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "fuzzer: %s\n", what);
  std::abort();
}

int main(int argc, char** argv) {
  ia64::u64 seed = 1, runs = ~ia64::u64{0};
  double seconds = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--seed")) seed = std::strtoull(argv[i + 1], nullptr, 0);
    if (!std::strcmp(argv[i], "--runs")) runs = std::strtoull(argv[i + 1], nullptr, 0);
    if (!std::strcmp(argv[i], "--seconds")) seconds = std::atof(argv[i + 1]);
  }
  if (argc % 2 == 0 || (seconds == 0 && runs == ~ia64::u64{0})) {
    std::fprintf(stderr, "usage: %s [--seed N] --runs N | --seconds N\n", argv[0]);
    return 1;
  }
  std::signal(SIGABRT, on_signal);
  std::signal(SIGALRM, on_signal);
  std::signal(SIGPROF, on_signal);
  // A loop uses the processor, a deadlock does not; on a busy host, neither does a run that only waits for its turn.
  constexpr unsigned kLoopSeconds = 60, kDeadlockSeconds = 600;
  const auto began = std::chrono::steady_clock::now();
  ia64::u64 done = 0;
  for (; done < runs; done++) {
    if (seconds > 0 && std::chrono::steady_clock::now() - began > std::chrono::duration<double>(seconds))
      break;
    current_seed = seed + done;
    alarm(kDeadlockSeconds);
    const itimerval loop{{}, {kLoopSeconds, 0}};
    setitimer(ITIMER_PROF, &loop, nullptr);
    ia64::fuzz::fuzz_one(current_seed);
  }
  alarm(0);
  constexpr itimerval off{};
  setitimer(ITIMER_PROF, &off, nullptr);
  std::printf("%llu runs, last seed %llu: no failure\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(current_seed));
}
