// Which thread executes guest code, and takes errands.
#include "base/errands.h"

namespace ia64 {

namespace {
thread_local Errands* of_this_thread = nullptr;
}

Errands* Errands::here() { return of_this_thread; }

Errands::Scope::Scope(Errands* errands) { of_this_thread = errands; }
Errands::Scope::~Scope() { of_this_thread = nullptr; }

}  // namespace ia64
