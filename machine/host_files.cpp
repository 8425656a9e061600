// Whole-file reads, atomic replacement and kernel images.
#include "machine/host_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/endian.h"

namespace ia64::machine {
namespace {

constexpr u64 kMaxKernelBytes = u64{1} << 30;

/// Closes a file descriptor at the end of a scope.
struct Fd {
  int fd;
  ~Fd() {
    if (fd >= 0) close(fd);
  }
};

Error os_error(const std::string& what, const std::string& path, const char* operation) {
  const ErrorKind kind = errno == ENOENT ? ErrorKind::NotFound : errno == EACCES ? ErrorKind::AccessDenied : ErrorKind::Io;
  return {kind, fmt::format("{} {}: cannot {}: {}", what, path, operation, std::strerror(errno))};
}

bool write_all(int fd, const std::vector<u8>& content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

Result<std::vector<u8>> gunzip(const std::vector<u8>& in, const std::string& path, const std::string& what) {
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return Error{ErrorKind::Internal, "zlib does not start"};
  std::vector<u8> out(in.size() * 4 + (1 << 20));
  z.next_in = const_cast<u8*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  int status = Z_OK;
  while (status == Z_OK && z.total_out < kMaxKernelBytes) {
    if (z.total_out == out.size()) out.resize(out.size() * 2);
    z.next_out = out.data() + z.total_out;
    z.avail_out = static_cast<uInt>(out.size() - z.total_out);
    status = inflate(&z, Z_NO_FLUSH);
  }
  out.resize(z.total_out);
  inflateEnd(&z);
  if (status != Z_STREAM_END)
    return Error{ErrorKind::Invalid, fmt::format("{} {}: its gzip data is damaged or cut short", what, path)};
  return out;
}

const char* elf_machine_name(u16 machine) {
  switch (machine) {
    case 3: return "i386";
    case 15: return "PA-RISC";
    case 21: return "PowerPC 64";
    case 62: return "x86-64";
    case 183: return "AArch64";
    case 243: return "RISC-V";
    default: return "another processor";
  }
}

Result<void> check_kernel(const std::vector<u8>& elf, const std::string& path) {
  if (elf.size() < 64 || std::memcmp(elf.data(), "\177ELF", 4) != 0)
    return Error{ErrorKind::Invalid, fmt::format("kernel {}: not an ELF file, plain or gzipped", path)};
  const u16 machine = elf[5] == 2 ? load_be<u16>(&elf[18]) : load_le<u16>(&elf[18]);
  if (machine != 50)
    return Error{ErrorKind::Invalid, fmt::format("kernel {}: built for {} (ELF machine {}), not for IA-64", path,
                                                 elf_machine_name(machine), machine)};
  if (elf[4] != 2 || elf[5] != 1)
    return Error{ErrorKind::Invalid, fmt::format("kernel {}: not a little-endian 64-bit ELF file", path)};
  return {};
}

}  // namespace

Result<std::vector<u8>> read_file(const std::string& path, const std::string& what) {
  const Fd f{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat st;
  if (f.fd < 0 || fstat(f.fd, &st) != 0) return os_error(what, path, "open it");
  if (!S_ISREG(st.st_mode)) return Error{ErrorKind::Invalid, fmt::format("{} {}: not a regular file", what, path)};
  std::vector<u8> data(static_cast<size_t>(st.st_size));
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = read(f.fd, data.data() + done, data.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(what, path, "read it");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  data.resize(done);
  return data;
}

Result<std::vector<u8>> read_maybe_gzipped(const std::string& path, const std::string& what) {
  auto data = read_file(path, what);
  if (!data || data->size() <= 2 || (*data)[0] != 0x1f || (*data)[1] != 0x8b) return data;
  return gunzip(*data, path, what);
}

Result<void> replace_file(const std::string& path, const std::vector<u8>& content, const std::string& what) {
  const std::string temporary = path + ".new";
  {
    const Fd f{open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (f.fd < 0) return os_error(what, temporary, "create it");
    if (!write_all(f.fd, content) || fsync(f.fd) != 0) return os_error(what, temporary, "write it");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return os_error(what, path, "replace it");
  auto folder = std::filesystem::path(path).parent_path();
  const Fd d{open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (d.fd >= 0) fsync(d.fd);
  return {};
}

Result<std::vector<u8>> read_kernel(const std::string& path) {
  auto data = read_maybe_gzipped(path, "kernel");
  if (!data) return data.error();
  if (auto ok = check_kernel(*data, path); !ok) return ok.error();
  return data;
}

}  // namespace ia64::machine
