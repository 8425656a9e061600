// Verbs that check: variables, disk images, host programs.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>

#include "machine/regression/images.h"
#include "machine/regression/screen.h"
#include "machine/regression/step_actions.h"
#include "machine/regression/verbs.h"
#include "storage/image_tools.h"

namespace ia64::machine::regression {
namespace {

Action read_set(StepReader& in) {
  const std::string name = in.new_variable();
  const Template value = in.text("a value");
  in.finish(false);
  return [=](Execution& x, const Step&) { return x.variables[name] = value.expand(x.variables), Outcome{}; };
}

std::optional<double> number_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double n = std::strtod(text.c_str(), &end);
  return *end == 0 ? std::optional(n) : std::nullopt;
}

Outcome compare(const std::string& left, const std::string& operation, const std::string& right) {
  const std::string shown = fmt::format("the values: '{}' and '{}'", left, right);
  bool holds = operation == "==" ? left == right : left != right;
  if (operation != "==" && operation != "!=") {
    const auto a = number_of(left), b = number_of(right);
    if (!a || !b) return Failure{"only numbers are less or more", {shown}};
    holds = operation == "<" ? *a < *b : operation == "<=" ? *a <= *b : operation == ">" ? *a > *b : *a >= *b;
  }
  if (holds) return {};
  return Failure{"the assertion does not hold", {shown}};
}

Action read_assert_value(StepReader& in) {
  const Template left = in.text("a value");
  const std::string operation = in.name("== != < <= > >= =~ or !~");
  if (operation == "=~" || operation == "!~") {
    const PatternTemplate pattern = in.pattern("a pattern");
    in.finish(false);
    return [=](Execution& x, const Step&) -> Outcome {
      auto p = pattern.make(x.variables);
      if (!p) return Failure{p.error().message, {}};
      const std::string value = left.expand(x.variables);
      const auto match = p->match_in(value);
      if (match.has_value() != (operation == "=~")) return Failure{fmt::format("the value {} {}", match ? "matches" : "does not match", p->written()), {"the value: " + value}};
      if (match)
        for (const auto& [name, text] : match->named) x.variables[name] = text;
      return {};
    };
  }
  if (operation != "==" && operation != "!=" && operation != "<" && operation != "<=" && operation != ">" && operation != ">=" && !operation.empty())
    in.complain_last("no such comparison; there are == != < <= > >= =~ !~");
  const Template right = in.text("a value");
  in.finish(false);
  return [=](Execution& x, const Step&) { return compare(left.expand(x.variables), operation, right.expand(x.variables)); };
}

/// The image as a plain file: an overlay is written out.
Result<std::string> plain_image(Execution& x, const ImageSpec& image) {
  const std::string path = x.variables[image.name + ".path"];
  if (image.kind != ImageSpec::Kind::Overlay) return path;
  const std::string plain = x.path(image.name + ".plain");
  unlink(plain.c_str());
  auto ok = storage::convert_image(x.variables[image.name], {.path = plain, .format = "raw"}, [](u64, u64) {});
  if (!ok) return ok.error();
  return plain;
}

Result<std::string> read_bytes(const std::string& path, u64 offset, size_t n) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string bytes(n, '\0');
  const ssize_t got = fd < 0 ? -1 : pread(fd, bytes.data(), n, static_cast<off_t>(offset));
  if (fd >= 0) close(fd);
  if (got < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot be read", path)};
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

std::string shown(const std::string& bytes) {
  std::string out;
  for (const char c : bytes.substr(0, 64)) out += c >= ' ' && c <= '~' && c != '\\' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<u8>(c));
  return out;
}

/// A check of an image that is a plain file.
using DiskCheck = std::function<Outcome(Execution&, const ImageSpec&, const std::string& path)>;

Action disk_action(const std::string& name, DiskCheck check) {
  return [=](Execution& x, const Step&) -> Outcome {
    const ImageSpec& image = *x.file().image(name);
    auto path = plain_image(x, image);
    if (!path) return Failure{path.error().message, {}};
    return check(x, image, *path);
  };
}

Outcome check_sum(const std::string& path, const std::string& wanted) {
  const auto sum = sha256_of_file(path);
  if (!sum) return Failure{sum.error().message, {}};
  if (*sum == wanted) return {};
  return Failure{"the image has another content", {"its sha256: " + *sum, "wanted:     " + wanted}};
}

Outcome check_unchanged(Execution& x, const ImageSpec& image, const std::string& path) {
  std::string from = image.source.expand(x.variables);
  if (image.kind == ImageSpec::Kind::Overlay) {
    const std::string plain = x.path(image.name + ".source");
    unlink(plain.c_str());
    if (auto ok = storage::convert_image(from, {.path = plain, .format = "raw"}, [](u64, u64) {}); !ok) return Failure{ok.error().message, {}};
    from = plain;
  }
  const auto wanted = sha256_of_file(from);
  if (!wanted) return Failure{wanted.error().message, {}};
  return check_sum(path, *wanted);
}

Action read_assert_disk(StepReader& in) {
  const std::string name = in.image();
  const ImageSpec* const image = in.state().file.image(name);
  if (in.keyword("sha256")) {
    const Template sum = in.text("a sum of 64 hexadecimal digits");
    in.finish(false);
    return disk_action(name, [=](Execution& x, const ImageSpec&, const std::string& path) { return check_sum(path, sum.expand(x.variables)); });
  }
  if (in.keyword("unchanged")) {
    if (image && image->kind != ImageSpec::Kind::Copy && image->kind != ImageSpec::Kind::Overlay)
      in.complain_last("only a copy or an overlay has something to be compared with; `sum IMAGE -> NAME` keeps a sum");
    in.finish(false);
    return disk_action(name, check_unchanged);
  }
  if (in.keyword("at")) {
    const u64 offset = in.number("an offset in bytes", u64{1} << 62);
    const Template wanted = in.text("the bytes, as a string");
    in.finish(false);
    return disk_action(name, [=](Execution& x, const ImageSpec&, const std::string& path) -> Outcome {
      const std::string bytes = wanted.expand(x.variables);
      const auto got = read_bytes(path, offset, bytes.size());
      if (!got) return Failure{got.error().message, {}};
      if (*got == bytes) return {};
      return Failure{fmt::format("the image has other bytes at {}", offset), {"it has: " + shown(*got), "wanted: " + shown(bytes)}};
    });
  }
  in.complain("`sha256 SUM`, `at OFFSET BYTES` or `unchanged` is expected");
  return {};
}

Action read_assert(StepReader& in) { return in.keyword("disk") ? read_assert_disk(in) : read_assert_value(in); }

Action read_sum(StepReader& in) {
  const std::string image = in.image();
  const std::string name = in.keyword("->") ? in.new_variable() : (in.complain("`-> NAME` is expected"), "");
  in.finish(false);
  return disk_action(image, [=](Execution& x, const ImageSpec&, const std::string& path) -> Outcome {
    const auto sum = sha256_of_file(path);
    if (!sum) return Failure{sum.error().message, {}};
    return x.variables[name] = *sum, Outcome{};
  });
}

Action read_host(StepReader& in) {
  u64 wanted = 0;
  if (in.keyword("status")) wanted = in.number("an exit status", 255);
  std::vector<Template> words;
  do {
    words.push_back(in.text("a program or its argument"));
  } while (!in.at_end() && !words.back().parts.empty());
  in.sets("output");
  in.finish(false);
  return [=](Execution& x, const Step& step) -> Outcome {
    std::vector<std::string> arguments;
    for (const Template& w : words) arguments.push_back(w.expand(x.variables));
    int status = 0;
    std::string output;
    if (auto failure = x.run_program(step, arguments, status, output)) return failure;
    if (output.ends_with('\n')) output.pop_back();
    x.variables["output"] = output;
    if (static_cast<u64>(status) == wanted) return {};
    return Failure{fmt::format("{} ended with status {}, not {}", arguments[0], status, wanted), {output.substr(0, 2000)}};
  };
}

Action read_screenshot(StepReader& in) {
  const Template file = in.text("the name of a file");
  in.sets("screen");
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    const auto text = screen_text(x.guest(step).bytes_up_to_position());
    if (!text) return Failure{text.error().message, {}};
    x.variables["screen"] = *text;
    std::string path = file.expand(x.variables);
    if (path.find('/') == std::string::npos) path = x.kept_file(path);
    std::ofstream out(path);
    out << *text;
    out.close();
    if (!out) return Failure{fmt::format("{}: cannot be written", path), {}};
    return {};
  };
}

}  // namespace

std::vector<Verb> check_verbs() {
  return {
      {"set", "NAME VALUE", "give a variable a value", read_set},
      {"assert", "VALUE ==|!=|<|<=|>|>=|=~|!~ VALUE | disk IMAGE sha256 SUM | at OFFSET BYTES | unchanged", "check values, or the content of an image", read_assert},
      {"sum", "IMAGE -> NAME", "the SHA-256 of an image's content becomes ${NAME}", read_sum},
      {"screenshot-text", "FILE", "write what an 80 x 25 terminal shows where the last match ended; it becomes ${screen}", read_screenshot},
      {"host", "[status N] PROGRAM [ARGUMENT...]", "run a program of the host that must end with status 0, or N; what it prints becomes ${output}", read_host},
  };
}

}  // namespace ia64::machine::regression
