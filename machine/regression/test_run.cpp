// Choosing, scheduling and collecting tests.
#include "machine/regression/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "machine/host/console_pattern.h"
#include "machine/regression/reports.h"
#include "machine/regression/work_folder.h"

namespace ia64::machine::regression {
namespace fs = std::filesystem;
namespace {

using Files = std::vector<std::unique_ptr<TestFile>>;

Cancellation* g_cancellation = nullptr;  // for the signal handler
void on_signal(int number) { g_cancellation->cancel(number); }

/// Has signals end the tests while it lives.
class SignalsCancel {
 public:
  explicit SignalsCancel(Cancellation& cancellation) {
    g_cancellation = &cancellation;
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (size_t i = 0; i < std::size(kSignals); i++) sigaction(kSignals[i], &action, &before_[i]);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~SignalsCancel() {
    for (size_t i = 0; i < std::size(kSignals); i++) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[3];
};

void complain(const std::string& text) { std::fputs(text.c_str(), stderr); }

/// Files as given, and those of folders by name.
std::vector<std::string> test_paths(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const std::string& path : given) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      out.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path, error))
      if (entry.path().extension() == ".test") found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

/// Loads every file; all that is wrong is shown at once. @returns whether all are good
bool load(const TestRunOptions& options, Files& files) {
  bool good = true;
  for (const std::string& path : test_paths(options.paths)) {
    Diagnostics diagnostics;
    auto file = load_test_file(path, options.load, diagnostics);
    for (const Diagnostic& d : diagnostics.all()) complain(d.place.line ? file->source.show(d) : d.message + "\n");
    good = good && diagnostics.empty();
    files.push_back(std::move(file));
  }
  return good;
}

bool chosen(const TestFile& file, const TestRunOptions& options, const ConsolePattern* filter) {
  if (filter && !filter->contained_in(file.source.path())) return false;
  return options.tags.empty() || std::any_of(options.tags.begin(), options.tags.end(), [&](const std::string& tag) {
           return std::find(file.tags.begin(), file.tags.end(), tag) != file.tags.end();
         });
}

void list(const Files& files) {
  for (const auto& file : files) fmt::print("{:<40} [{}] {}\n", file->source.path(), fmt::join(file->tags, " "), file->description);
}

/// The runs of one `ivm test`, worked off by threads.
class Schedule {
 public:
  Schedule(const TestRunOptions& options, const std::string& folder, const Cancellation& cancellation, std::vector<TestRun>& runs, Reporter& reporter)
      : options_(options), folder_(folder), cancellation_(cancellation), runs_(runs), reporter_(reporter) {}

  void work_off() {
    const unsigned most = options_.jobs ? options_.jobs : std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> workers;
    for (unsigned n = 0; n < std::min<size_t>(most, runs_.size()); n++) workers.emplace_back([this] { work(); });
    for (std::thread& worker : workers) worker.join();
  }

 private:
  void work() {
    for (size_t index; (index = next_++) < runs_.size();) {
      TestRun& run = runs_[index];
      TestResult result;
      if (cancellation_.signal_number())
        result.status = TestResult::Status::Cancelled;
      else
        result = run_one(index, *run.file);
      std::lock_guard lock(mutex_);
      run.result = std::move(result);
      reporter_.finished(index, run);
    }
  }

  TestResult run_one(size_t index, const TestFile& file) {
    const std::string folder = fmt::format("{}/{}", folder_, index + 1);
    std::error_code error;
    fs::create_directory(folder, error);
    TestResult result;
    try {
      result = Execution(file, {options_.load.ivm, folder, options_.patience, &cancellation_}).run();
    } catch (const std::exception& e) {  // our own mistake must not hide the other tests
      result.status = TestResult::Status::Failed;
      result.reason = fmt::format("{}: internal error: {}", file.source.path(), e.what());
    }
    keep_logs(index, result);
    if (!options_.keep) fs::remove_all(folder, error);
    else if (result.status == TestResult::Status::Failed) result.details.push_back("files: " + folder);
    return result;
  }

  void keep_logs(size_t index, TestResult& result) {
    if (options_.log_dir.empty()) return;
    const TestRun& run = runs_[index];
    const std::string folder = fmt::format("{}/{}{}", options_.log_dir, run.file->name(), run.repetition ? fmt::format("-{}", run.repetition) : "");
    std::error_code error;
    fs::create_directories(folder, error);
    for (const std::string& path : result.files)
      fs::copy_file(path, folder + "/" + fs::path(path).filename().string(), fs::copy_options::overwrite_existing, error);
    fs::remove(folder + "/failure", error);
    if (result.status != TestResult::Status::Failed) return;
    result.details.push_back("transcripts: " + folder);
    std::ofstream out(folder + "/failure");
    out << result.reason << "\n";
    for (const std::string& line : result.details) out << line << "\n";
  }

  const TestRunOptions& options_;
  const std::string folder_;
  const Cancellation& cancellation_;
  std::vector<TestRun>& runs_;
  Reporter& reporter_;
  std::mutex mutex_;  // results and the reporter
  std::atomic<size_t> next_{0};
};

int bad(const std::string& message) {
  complain("ivm: " + message + "\n");
  return static_cast<int>(TestRunStatus::Bad);
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out.good();
}

int run_all(const TestRunOptions& options, std::vector<TestRun>& runs) {
  auto folder = WorkFolder::create(options.keep);
  if (!folder) return bad(folder.error().message);
  if (!options.junit.empty() && !write_file(options.junit, "")) return bad(fmt::format("--junit {}: cannot write it", options.junit));
  Cancellation cancellation;
  {
    const SignalsCancel signals(cancellation);
    const auto reporter = options.tap ? tap_reporter(stdout, options.again, runs) : people_reporter(stdout, options.again);
    Schedule(options, folder->path(), cancellation, runs, *reporter).work_off();
    reporter->end(runs);
  }
  if (!options.junit.empty() && !write_file(options.junit, junit_xml(runs))) return bad(fmt::format("--junit {}: cannot write it", options.junit));
  if (options.keep) fmt::print(stderr, "ivm: the tests' files are in {}\n", folder->path());
  if (const int number = cancellation.signal_number()) return 128 + number;
  const bool failed = std::any_of(runs.begin(), runs.end(), [](const TestRun& r) { return r.result.status == TestResult::Status::Failed; });
  return static_cast<int>(failed ? TestRunStatus::Failed : TestRunStatus::Passed);
}

}  // namespace

int run_tests(const TestRunOptions& options) {
  std::optional<ConsolePattern> filter;
  if (!options.filter.empty()) {
    auto compiled = ConsolePattern::regex(options.filter, ConsolePattern::Kind::Lines);
    if (!compiled) return bad(fmt::format("--filter '{}': {}", options.filter, compiled.error().message));
    filter = *compiled;
  }
  Files files;
  if (!load(options, files)) return static_cast<int>(TestRunStatus::Bad);
  std::erase_if(files, [&](const auto& file) { return !chosen(*file, options, filter ? &*filter : nullptr); });
  if (options.list) return list(files), 0;
  if (options.check) return 0;
  if (files.empty()) return bad("no test is chosen");
  std::vector<TestRun> runs;
  for (unsigned n = 1; n <= options.repeat; n++)
    for (const auto& file : files) runs.push_back({file.get(), options.repeat > 1 ? n : 0, {}});
  return run_all(options, runs);
}

}  // namespace ia64::machine::regression
