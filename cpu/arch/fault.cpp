// Names of the interruption vectors.
#include "cpu/arch/fault.h"

namespace ia64::cpu {

const char* vector_name(Vector v) {
  switch (v) {
#define X(e, offset, name) \
  case Vector::e: return name;
    INTERRUPTION_VECTORS(X)
#undef X
  }
  return "unknown vector";
}

}  // namespace ia64::cpu
