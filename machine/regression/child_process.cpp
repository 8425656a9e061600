// fork, exec and the certain end of what was started.
#include "machine/regression/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ia64::machine::regression {
namespace {

/// Open files of the child: its standard three.
struct Files {
  int input = -1, output = -1, errors = -1;
  ~Files() {
    for (const int fd : {input, output, errors == output ? -1 : errors})
      if (fd >= 0) close(fd);
  }
};

int create(const std::string& path) { return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600); }

/// In the child, between fork and exec: system calls only.
[[noreturn]] void become(const char* program, char* const* arguments, const Files& files, int parent) {
  constexpr int kCannotRun = 127;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kCannotRun);  // it went before it could be watched
  setpgid(0, 0);
  dup2(files.input, STDIN_FILENO);
  dup2(files.output, STDOUT_FILENO);
  dup2(files.errors, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(program, arguments);
  _exit(kCannotRun);
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const char* const path = std::getenv("PATH");
  const std::string folders = path ? path : "/usr/bin:/bin";
  for (size_t at = 0; at <= folders.size();) {
    const size_t end = std::min(folders.find(':', at), folders.size());
    const std::string candidate = folders.substr(at, end - at) + "/" + name;
    if (!name.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return {};
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments, const std::string& output, const std::string& errors) {
  const std::string program = find_program(arguments.at(0));
  if (program.empty()) return Error{ErrorKind::NotFound, fmt::format("{}: no such program", arguments[0])};
  Files files;
  files.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  files.output = create(output);
  files.errors = errors == output ? files.output : create(errors);
  if (files.input < 0 || files.output < 0 || files.errors < 0)
    return Error{ErrorKind::Io, fmt::format("{}: {}", files.output < 0 ? output : errors, std::strerror(errno))};
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const int parent = getpid();
  const int pid = fork();
  if (pid == 0) become(program.c_str(), argv.data(), files, parent);
  if (pid < 0) return Error{ErrorKind::Io, fmt::format("{}: {}", arguments[0], std::strerror(errno))};
  setpgid(pid, pid);  // both sides do it: whoever comes first
  const int end_fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  ChildProcess child(pid, end_fd);
  if (end_fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot watch it: {}", arguments[0], std::strerror(errno))};
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(end_fd_, other.end_fd_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  kill();
  if (end_fd_ >= 0) close(end_fd_);
}

std::optional<int> ChildProcess::status() {
  if (status_ || pid_ < 0) return status_;
  int how = 0;
  if (waitpid(pid_, &how, WNOHANG) == pid_) status_ = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
  return status_;
}

void ChildProcess::kill() {
  if (pid_ < 0) return;
  if (!status()) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int how = 0;
    while (waitpid(pid_, &how, 0) < 0 && errno == EINTR) {
    }
    status_ = 128 + SIGKILL;
  } else {
    ::kill(-pid_, SIGKILL);  // what it may have started
  }
}

}  // namespace ia64::machine::regression
