// The process, connection and transcript of a guest.
#include "machine/regression/guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ia64::machine::regression {
namespace {

constexpr const char* kGoMs = "1000";      // of the guest's time: how often a step's limit is looked at
constexpr unsigned kPatienceMs = 20'000;  // for a guest's process that answers nothing
constexpr size_t kMaxEvents = 10'000;

void close_if_open(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

Guest::Guest(Setup setup) : setup_(std::move(setup)) {}

Guest::~Guest() {
  close_if_open(transcript_);
  close_if_open(notify_);
}

std::string Guest::file(const char* suffix) const {
  return fmt::format("{}/{}{}.{}", setup_.folder, setup_.name, runs_ > 1 ? fmt::format("-{}", runs_) : "", suffix);
}

bool Guest::has_option(std::string_view name) const {
  return std::find(setup_.arguments.begin(), setup_.arguments.end(), name) != setup_.arguments.end();
}

std::string Guest::open_line() const {
  const std::string_view before = std::string_view(text_).substr(0, position);
  const size_t newline = before.rfind('\n');
  return std::string(before.substr(newline == std::string::npos ? 0 : newline + 1));
}

Result<void> Guest::start(const std::vector<std::string>& more, const std::string& seen) {
  runs_++;
  status_.reset(), control_.reset(), process_.reset();
  text_ = seen_ = seen;
  events.clear();
  reader_ = {};
  position = seen.size(), clock_ms_ = 0, clock_request_ = 0, go_request_ = 0, untyped_bytes_ = 0;
  close_if_open(transcript_), close_if_open(notify_);
  transcripts_.push_back(file("log"));
  transcript_ = open(transcripts_.back().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  notify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (transcript_ < 0 || notify_ < 0 || inotify_add_watch(notify_, transcripts_.back().c_str(), IN_MODIFY) < 0)
    return Error{ErrorKind::Io, fmt::format("{}: {}", transcripts_.back(), std::strerror(errno))};
  std::vector<std::string> arguments = {setup_.ivm, "run", "--name", setup_.name, "--console", "none", "--log", transcripts_.back(),
                                        "--control", "unix:" + file("control")};
  if (!has_option("--snapshot-dir")) arguments.insert(arguments.end(), {"--snapshot-dir", setup_.folder + "/snapshots"});
  arguments.insert(arguments.end(), setup_.arguments.begin(), setup_.arguments.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  held_ = std::find(arguments.begin(), arguments.end(), "--icount") != arguments.end();
  if (held_) arguments.push_back("--held");
  auto process = ChildProcess::start(arguments, file("out"), file("err"));
  if (!process) return process.error();
  process_ = std::move(*process);
  return {};
}

void Guest::kill() {
  if (!process_) return;
  process_->kill();
  update();
}

void Guest::connect() {
  auto client = control::ControlClient::connect("unix:" + file("control"), kPatienceMs);
  if (!client) return;  // not there yet, or never: then the process ends
  control_.emplace(std::move(*client));
  control_->on_event = [this](const Json& event) {
    if (events.size() < kMaxEvents) events.push_back(event);
  };
  (void)control_->post({{"line", "events all"}});
}

void Guest::update() {
  if (!process_) return;
  const auto ended = process_->status();  // before the transcript is read: what it printed is all there then
  char rubbish[4096];
  while (read(notify_, rubbish, sizeof rubbish) > 0) {
  }
  if (!control_ && !ended) connect();
  if (control_) control_->receive();
  take_stand();
  read_transcript();  // behind the word that the guest stands: what it has printed is all there then
  status_ = ended;
}

void Guest::let_run() {
  if (!held_ || go_request_ || !running()) return;
  go_request_ = post({{"command", "go"}, {"arguments", {{"ms", kGoMs}}}}).value_or(0);
}

void Guest::take_stand() {
  const auto reply = go_request_ ? take_reply(go_request_) : std::nullopt;
  if (!reply) return;
  go_request_ = 0;
  if (!reply->contains("result")) return;
  clock_ms_ = (*reply)["result"].value("uptime_ms", clock_ms_);
  untyped_bytes_ = (*reply)["result"].value("untyped_bytes", u64{0});
}

void Guest::read_transcript() {
  char bytes[65536];
  ssize_t n;
  while (!printed_too_much() && (n = read(transcript_, bytes, sizeof bytes)) > 0) reader_.append({bytes, static_cast<size_t>(n)}, text_);
}

std::vector<int> Guest::fds() const {
  if (!process_ || status_) return {};
  std::vector<int> out = {process_->end_fd(), notify_};
  if (control_) out.push_back(control_->fd());
  return out;
}

std::string Guest::bytes_up_to_position() const {
  std::ifstream in(transcripts_.empty() ? "" : transcripts_.back(), std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  ConsoleText reader;
  std::string text = seen_;
  size_t n = 0;
  while (n < all.size() && text.size() < position) reader.append({all.data() + n++, 1}, text);
  return all.substr(0, n);
}

std::optional<i64> Guest::post(const Json& request) {
  if (!control_) return std::nullopt;
  auto id = control_->post(request);
  if (!id) return std::nullopt;
  return *id;
}

std::optional<Json> Guest::take_reply(i64 id) { return control_ ? control_->take_reply(id) : std::nullopt; }

u64 Guest::clock_ms() {
  if (held_) return clock_ms_;
  if (clock_request_)
    if (const auto reply = take_reply(clock_request_)) {
      clock_request_ = 0;
      if (reply->contains("result")) clock_ms_ = (*reply)["result"].value("uptime_ms", clock_ms_);
    }
  if (!clock_request_ && running()) clock_request_ = post({{"command", "status"}}).value_or(0);
  return clock_ms_;
}

std::string Guest::complaints() const {
  std::ifstream in(file("err"));
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace ia64::machine::regression
