// NVRAM image on a host file.
#include "machine/nvram_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "machine/host_files.h"

namespace ia64::machine {

namespace {

/// The file itself cannot be locked, since every change puts another one in its place: its name in its folder is.
std::string claim_name(const std::string& path) {
  const std::filesystem::path file(path);
  struct stat folder {};
  if (stat(file.has_parent_path() ? file.parent_path().c_str() : ".", &folder) != 0) return "nvram " + path;
  return fmt::format("nvram {} {}:{}", file.filename().string(), folder.st_dev, folder.st_ino);
}

}  // namespace

Result<NvramFile> NvramFile::open(const std::string& path) {
  NvramFile nvram;
  nvram.path_ = path;
  if (path.empty()) return nvram;
  nvram.claim_ = std::make_unique<storage::HostClaim>(claim_name(path));
  if (!nvram.claim_->held()) return Error{ErrorKind::Locked, fmt::format("--nvram {}: another run uses it", path)};
  auto image = read_file(path, "--nvram");
  if (!image && image.error().kind != ErrorKind::NotFound) return image.error();
  if (image) nvram.image_ = std::move(*image);
  // Files are replaced whole, so it is the folder that must be writable. Better said now than at the first change.
  const auto folder = std::filesystem::path(path).parent_path();
  if (access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    return Error{ErrorKind::AccessDenied,
                 fmt::format("--nvram {}: cannot write into its folder: {}", path, std::strerror(errno))};
  return nvram;
}

Result<std::string> NvramFile::put_aside() {
  const std::string aside = path_ + ".bad";
  if (path_.empty() || rename(path_.c_str(), aside.c_str()) != 0)
    return Error{ErrorKind::Io, fmt::format("--nvram {}: cannot rename it to {}: {}", path_, aside, std::strerror(errno))};
  kept_former_ = true;
  return aside;
}

Result<void> NvramFile::save(const std::vector<u8>& image) {
  image_ = image;
  if (path_.empty()) return {};
  if (!kept_former_) {
    const std::string former = path_ + ".old";
    unlink(former.c_str());
    if (link(path_.c_str(), former.c_str()) == 0) {}  // no former file, or a file system without links: nothing to keep
    kept_former_ = true;
  }
  return replace_file(path_, image, "--nvram");
}

}  // namespace ia64::machine
