// What stands in for io_uring in builds without liburing.
#include "storage/stores/uring.h"

namespace ia64::storage {

class Uring::Impl {};
Uring::Uring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Uring::~Uring() = default;
std::unique_ptr<Uring> Uring::create() {
  return nullptr;
}
void Uring::read(int, u64, const iovec*, unsigned, Done) {}
void Uring::write(int, u64, const iovec*, unsigned, bool, Done) {}
void Uring::sync(int, Done) {}

}  // namespace ia64::storage
