// Reports a broken invariant and stops the program.
#include "base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace ia64 {

void invariant_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ivm: internal error: invariant '%s' broken at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace ia64
