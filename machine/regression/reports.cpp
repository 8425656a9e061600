// Texts of results.
#include "machine/regression/reports.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine::regression {
namespace {

using Status = TestResult::Status;

size_t count(const std::vector<TestRun>& runs, Status status) {
  return static_cast<size_t>(std::count_if(runs.begin(), runs.end(), [&](const TestRun& r) { return r.result.status == status; }));
}

class People final : public Reporter {
 public:
  People(std::FILE* out, std::string again) : out_(out), again_(std::move(again)) {}

  void finished(size_t, const TestRun& run) override {
    static constexpr const char* kWords[] = {"ok", "FAILED", "skipped", "stopped"};
    const TestResult& r = run.result;
    std::string line = fmt::format("{:<8} {:<50} {:7.1f} s", kWords[static_cast<unsigned>(r.status)], run.title(), r.seconds);
    if (r.status == Status::Skipped) line += "  " + r.reason;
    fmt::print(out_, "{}\n", line);
    if (r.status == Status::Failed)
      for (const std::string& text : failure_lines(run, again_)) fmt::print(out_, "  {}\n", text);
    std::fflush(out_);
  }

  void end(const std::vector<TestRun>& runs) override {
    std::string line = fmt::format("{} passed", count(runs, Status::Passed));
    if (const size_t n = count(runs, Status::Failed)) line += fmt::format(", {} failed", n);
    if (const size_t n = count(runs, Status::Skipped)) line += fmt::format(", {} skipped", n);
    if (const size_t n = count(runs, Status::Cancelled)) line += fmt::format(", {} stopped", n);
    fmt::print(out_, "{}\n", line);
    std::fflush(out_);
  }

 private:
  std::FILE* const out_;
  const std::string again_;
};

class Tap final : public Reporter {
 public:
  Tap(std::FILE* out, std::string again, const std::vector<TestRun>& runs) : out_(out), again_(std::move(again)), runs_(runs), done_(runs.size()) {
    fmt::print(out_, "TAP version 13\n1..{}\n", runs.size());
  }

  void finished(size_t index, const TestRun&) override {
    done_[index] = true;
    for (; next_ < done_.size() && done_[next_]; next_++) print(next_);
    std::fflush(out_);
  }

  void end(const std::vector<TestRun>& runs) override {
    if (const size_t n = count(runs, Status::Cancelled)) fmt::print(out_, "Bail out! {} tests were stopped by a signal\n", n);
    std::fflush(out_);
  }

 private:
  void print(size_t index) {
    const TestRun& run = runs_[index];
    const TestResult& r = run.result;
    if (r.status == Status::Cancelled) return;
    std::string title = run.title();
    std::replace(title.begin(), title.end(), '#', '-');  // begins a directive
    std::string line = fmt::format("{} {} - {}", r.status == Status::Failed ? "not ok" : "ok", index + 1, title);
    if (r.status == Status::Skipped) line += " # SKIP " + r.reason;
    fmt::print(out_, "{}\n", line);
    if (r.status == Status::Failed)
      for (const std::string& text : failure_lines(run, again_)) fmt::print(out_, "# {}\n", text);
    fmt::print(out_, "# {:.1f} s\n", r.seconds);
  }

  std::FILE* const out_;
  const std::string again_;
  const std::vector<TestRun>& runs_;
  std::vector<bool> done_;
  size_t next_ = 0;
};

/// Text for XML 1.0: markup as entities; bytes that are no printable ASCII as question marks.
std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += (c >= ' ' && c <= '~') || c == '\n' || c == '\t' ? c : '?';
    }
  }
  return out;
}

}  // namespace

std::string TestRun::title() const { return repetition ? fmt::format("{} ({})", file->source.path(), repetition) : file->source.path(); }

std::vector<std::string> failure_lines(const TestRun& run, const std::string& again) {
  std::vector<std::string> out = {run.result.reason};
  out.insert(out.end(), run.result.details.begin(), run.result.details.end());
  out.push_back(fmt::format("again: {} {}", again, run.file->source.path()));
  return out;
}

std::unique_ptr<Reporter> people_reporter(std::FILE* out, std::string again) { return std::make_unique<People>(out, std::move(again)); }
std::unique_ptr<Reporter> tap_reporter(std::FILE* out, std::string again, const std::vector<TestRun>& runs) {
  return std::make_unique<Tap>(out, std::move(again), runs);
}

std::string junit_xml(const std::vector<TestRun>& runs) {
  double seconds = 0;
  for (const TestRun& run : runs) seconds += run.result.seconds;
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"ivm\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n",
                                runs.size(), count(runs, Status::Failed), count(runs, Status::Skipped) + count(runs, Status::Cancelled), seconds);
  for (const TestRun& run : runs) {
    const TestResult& r = run.result;
    std::string name = run.file->name();
    if (run.repetition) name += fmt::format(" ({})", run.repetition);
    out += fmt::format("<testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", xml(run.file->source.path()), xml(name), r.seconds);
    if (r.status == Status::Passed) {
      out += "/>\n";
    } else if (r.status == Status::Failed) {
      std::string text;
      for (const std::string& line : r.details) text += line + "\n";
      out += fmt::format("><failure message=\"{}\">{}</failure></testcase>\n", xml(r.reason), xml(text));
    } else {
      out += fmt::format("><skipped message=\"{}\"/></testcase>\n", xml(r.reason));
    }
  }
  return out + "</testsuite>\n</testsuites>\n";
}

}  // namespace ia64::machine::regression
