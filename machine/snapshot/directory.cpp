// Folders of snapshots: listing, writing under another name, renaming, removing.
#include "machine/snapshot/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace ia64::machine {

namespace fs = std::filesystem;

namespace {

constexpr u64 kMostBytes = u64{256} << 20;  // of a manifest or state file

Error host_error(const std::string& path, const char* what) {
  const ErrorKind kind = errno == ENOENT ? ErrorKind::NotFound : errno == EACCES ? ErrorKind::AccessDenied : errno == ENOSPC ? ErrorKind::NoSpace : ErrorKind::Io;
  return {kind, fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno))};
}

bool sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return good;
}

Result<void> write_all(int fd, const std::string& path, std::span<const u8> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return host_error(path, "write");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace

bool valid_snapshot_name(std::string_view name) {
  constexpr std::string_view kOther = "._-";
  if (name.empty() || name.size() > 64 || name[0] == '.' || name[0] == '-') return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOther.find(c) != std::string_view::npos;
  });
}

// --- writing

PartialSnapshot::~PartialSnapshot() {
  for (const int fd : files_) close(fd);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<int> PartialSnapshot::create(const std::string& file) {
  const int fd = ::open(path(file).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return host_error(path(file), "create");
  files_.push_back(fd);
  return fd;
}

Result<void> PartialSnapshot::write(const std::string& file, std::span<const u8> bytes) {
  const auto fd = create(file);
  if (!fd) return fd.error();
  return write_all(*fd, path(file), bytes);
}

Result<void> PartialSnapshot::commit() {
  for (const int fd : files_)
    if (fsync(fd) != 0) return host_error(folder_, "make it durable");
  if (!sync_folder(folder_)) return host_error(folder_, "make it durable");
  const std::string final_path = directory_ + "/" + name_;
  // An older one changes places with the new one, so that there is one at any time, and is removed as what is partial.
  const bool exchanged = replace_ && renameat2(AT_FDCWD, folder_.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE) == 0;
  if (!exchanged) {
    if (renameat2(AT_FDCWD, folder_.c_str(), AT_FDCWD, final_path.c_str(), RENAME_NOREPLACE) != 0) return host_error(final_path, "give the snapshot its name");
    folder_.clear();
  }
  if (!sync_folder(directory_)) return host_error(directory_, "make the snapshot's name durable");
  return {};
}

Result<std::unique_ptr<PartialSnapshot>> SnapshotDirectory::begin(const std::string& name, bool replace) const {
  if (!valid_snapshot_name(name))
    return Error{ErrorKind::Invalid, fmt::format("'{}' cannot name a snapshot: use up to 64 letters, digits, '.', '_' and '-'", name)};
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return Error{ErrorKind::Io, fmt::format("{}: cannot make the directory: {}", path_, error.message())};
  if (!replace && fs::exists(path_ + "/" + name, error))
    return Error{ErrorKind::Unsupported, fmt::format("snapshot '{}' exists; give another name, delete it, or use replace", name)};
  std::unique_ptr<PartialSnapshot> out(new PartialSnapshot);
  std::string folder = fmt::format("{}/.{}.XXXXXX", path_, name);
  if (!mkdtemp(folder.data())) return host_error(path_, "make a folder in it");
  chmod(folder.c_str(), 0755);
  out->directory_ = path_, out->name_ = name, out->folder_ = folder, out->replace_ = replace;
  return out;
}

// --- looking

Result<std::vector<std::string>> SnapshotDirectory::names() const {
  std::vector<std::string> out;
  std::error_code error;
  fs::directory_iterator all(path_, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  if (error) return Error{ErrorKind::Io, fmt::format("{}: {}", path_, error.message())};
  for (const auto& entry : all)
    if (const auto name = entry.path().filename().string(); valid_snapshot_name(name) && fs::exists(entry.path() / snapshot_file::kManifest, error)) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> SnapshotDirectory::check(const std::string& name) const {
  std::error_code error;
  if (valid_snapshot_name(name) && fs::exists(path_of(name, snapshot_file::kManifest), error)) return {};
  std::string known;
  if (const auto all = names(); all)
    for (const auto& n : *all) known += (known.empty() ? "" : ", ") + n;
  return Error{ErrorKind::NotFound, fmt::format("there is no snapshot '{}' in {}; there {}", name, path_, known.empty() ? "is none" : "is " + known)};
}

Result<int> SnapshotDirectory::open(const std::string& name, const std::string& file) const {
  if (auto ok = check(name); !ok) return ok.error();
  const std::string path = path_of(name, file);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return host_error(path, "open");
  return fd;
}

Result<std::vector<u8>> SnapshotDirectory::read(const std::string& name, const std::string& file) const {
  const auto fd = open(name, file);
  if (!fd) return fd.error();
  std::vector<u8> out;
  struct stat st;
  const std::string path = path_of(name, file);
  bool good = fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && static_cast<u64>(st.st_size) <= kMostBytes;
  if (good) out.resize(static_cast<size_t>(st.st_size));
  for (size_t done = 0; good && done < out.size();) {
    const ssize_t n = pread(*fd, out.data() + done, out.size() - done, static_cast<off_t>(done));
    good = n > 0 || (n < 0 && errno == EINTR);
    done += static_cast<size_t>(std::max<ssize_t>(n, 0));
  }
  close(*fd);
  if (!good) return Error{ErrorKind::Io, fmt::format("{}: cannot read it", path)};
  return out;
}

Result<SnapshotManifest> SnapshotDirectory::manifest(const std::string& name) const {
  const auto bytes = read(name, snapshot_file::kManifest);
  if (!bytes) return bytes.error();
  auto out = parse_manifest({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!out) return Error{out.error().kind, fmt::format("snapshot '{}': {}", name, out.error().message)};
  return out;
}

Result<void> SnapshotDirectory::remove(const std::string& name) const {
  if (auto ok = check(name); !ok) return ok;
  // Under another name first, so that nobody finds half of it.
  std::string hidden = fmt::format("{}/.{}.XXXXXX", path_, name);
  if (!mkdtemp(hidden.data())) return host_error(path_, "make a folder in it");
  if (rename((path_ + "/" + name).c_str(), hidden.c_str()) != 0) {
    const Error error = host_error(path_ + "/" + name, "remove");
    rmdir(hidden.c_str());
    return error;
  }
  std::error_code error;
  fs::remove_all(hidden, error);
  if (error) return Error{ErrorKind::Io, fmt::format("{}: cannot remove: {}", hidden, error.message())};
  return {};
}

}  // namespace ia64::machine
