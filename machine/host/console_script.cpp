// Expect/send engine on RE2.
#include "machine/host/console_script.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace ia64::machine {
namespace {

constexpr size_t kMaxUnmatchedBytes = 4 << 20;  // an expect step looks back this far at most

struct CompiledStep {
  std::unique_ptr<RE2> pattern;  // Expect
  std::string text;              // bytes to send, or the pattern as written
};

class Script final : public ConsoleScript {
 public:
  explicit Script(std::vector<CompiledStep> steps) : steps_(std::move(steps)) {}

  void start() override { advance(); }
  void feed(std::span<const u8> bytes) override {
    if (next_ == steps_.size()) return;
    for (const u8 b : bytes)
      if (b != '\r') unmatched_ += static_cast<char>(b);
    if (unmatched_.size() > kMaxUnmatchedBytes) unmatched_.erase(0, unmatched_.size() - kMaxUnmatchedBytes / 2);
    advance();
  }
  std::string waiting_for() const override { return next_ < steps_.size() ? steps_[next_].text : std::string(); }

 private:
  bool match(const RE2& pattern) {
    re2::StringPiece found;
    if (!pattern.Match(unmatched_, 0, unmatched_.size(), RE2::UNANCHORED, &found, 1)) return false;
    unmatched_.erase(0, static_cast<size_t>(found.data() - unmatched_.data()) + found.size());
    return true;
  }
  void advance() {
    while (next_ < steps_.size()) {
      const CompiledStep& step = steps_[next_];
      if (step.pattern) {
        if (!match(*step.pattern)) return;
        if (matched) matched(step.text);
      } else {
        send(step.text);
      }
      next_++;
      if (next_ == steps_.size() && step.pattern) done();
    }
  }

  std::vector<CompiledStep> steps_;
  size_t next_ = 0;
  std::string unmatched_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string> decode_escapes(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char c = i + 1 < text.size() ? text[++i] : '\0';
    switch (c) {
      case 'r': out += '\r'; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'e': out += '\033'; break;
      case '\\': out += '\\'; break;
      case 'x': {
        const int hi = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int lo = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (hi < 0 || lo < 0) return Error{ErrorKind::Invalid, fmt::format("--send '{}': \\x needs two hexadecimal digits", text)};
        out += static_cast<char>(hi * 16 + lo);
        i += 2;
        break;
      }
      default:
        return Error{ErrorKind::Invalid, fmt::format("--send '{}': unknown escape; use \\r \\n \\t \\e \\\\ \\xNN", text)};
    }
  }
  return out;
}

Result<std::unique_ptr<ConsoleScript>> ConsoleScript::create(std::vector<Step> steps) {
  std::vector<CompiledStep> compiled;
  for (const Step& step : steps) {
    CompiledStep c;
    if (step.kind == Step::Kind::Expect) {
      RE2::Options options(RE2::Latin1);
      options.set_log_errors(false);
      c.pattern = std::make_unique<RE2>("(?m)" + step.text, options);
      c.text = step.text;
      if (!c.pattern->ok())
        return Error{ErrorKind::Invalid, fmt::format("--expect '{}': {}", step.text, c.pattern->error())};
    } else {
      auto text = decode_escapes(step.text);
      if (!text) return text.error();
      c.text = *text;
    }
    compiled.push_back(std::move(c));
  }
  return std::unique_ptr<ConsoleScript>(std::make_unique<Script>(std::move(compiled)));
}

}  // namespace ia64::machine
