// Making, locking and removing private directories.
#include "machine/regression/work_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

namespace ia64::machine::regression {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPrefix = "ivm-test-";
constexpr const char* kLock = "/lock";
constexpr const char* kKept = "/kept";
constexpr time_t kYoungestSwept = 60;  // seconds: a directory may not be locked yet when it has just been made

std::string temporary_folder() {
  const char* const named = std::getenv("TMPDIR");
  return named && *named ? named : "/tmp";
}

/// Removes a directory of ours whose owner lives no more.
void sweep_one(const fs::path& folder) {
  const int lock = open((folder.string() + kLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) return;
  struct stat about;
  const bool ours = fstat(lock, &about) == 0 && about.st_uid == geteuid() && about.st_mtime + kYoungestSwept < time(nullptr);
  std::error_code ignored;
  if (ours && !fs::exists(folder.string() + kKept, ignored) && flock(lock, LOCK_EX | LOCK_NB) == 0) fs::remove_all(folder, ignored);
  close(lock);
}

void sweep() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(temporary_folder(), error))
    if (entry.path().filename().string().starts_with(kPrefix) && entry.is_directory(error) && !entry.is_symlink(error)) sweep_one(entry.path());
}

}  // namespace

Result<WorkFolder> WorkFolder::create(bool keep) {
  sweep();
  std::string path = temporary_folder() + "/" + kPrefix + "XXXXXX";
  if (!mkdtemp(path.data())) return Error{ErrorKind::Io, fmt::format("{}: {}", temporary_folder(), std::strerror(errno))};
  const int lock = open((path + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) return Error{ErrorKind::Io, fmt::format("{}: {}", path, std::strerror(errno))};
  if (keep) close(open((path + kKept).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  return WorkFolder(path, lock, keep);
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, "")), lock_(std::exchange(other.lock_, -1)), keep_(other.keep_) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty() && !keep_) fs::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

}  // namespace ia64::machine::regression
