// Test files: header and steps.
#include "machine/regression/test_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "machine/regression/step_reader.h"
#include "machine/regression/verbs.h"

namespace ia64::machine::regression {
namespace {

constexpr std::string_view kFence = "+++";

/// Variables that are set before the first step.
std::set<std::string> first_variables(const TestFile& file) {
  std::set<std::string> out = {"dir", "tmp", "ivm"};
  for (const auto& [name, value] : file.variables) out.insert(name);
  for (const ImageSpec& image : file.images) out.insert({image.name, image.name + ".path"});
  for (const GuestSpec& guest : file.guests) out.insert({guest.name + ".log", guest.name + ".control"});
  return out;
}

void check_header_variables(const TestFile& file, const std::set<std::string>& known, Diagnostics& diagnostics) {
  const auto check = [&](const Template& text, bool path_too) {
    for (const Template::Part& part : text.parts)
      if (part.variable && !known.contains(part.text) && !(path_too && part.text == "path"))
        diagnostics.add(part.place, fmt::format("no variable '{}': [variables] does not set it; -D {}=... on the command line does", part.text, part.text));
  };
  for (const Template& need : file.needs) check(need, false);
  for (const ImageSpec& image : file.images) {
    check(image.source, false);
    for (const Template& word : image.command) check(word, true);
  }
  for (const GuestSpec& guest : file.guests)
    for (const Template& argument : guest.arguments) check(argument, false);
}

std::string known_verbs() {
  std::string out;
  for (const Verb& v : verbs()) out += std::string(out.empty() ? "" : ", ") + v.name;
  return out;
}

/// A step's lines, the first without its indentation. @param at  index of the first; moved behind the last
std::vector<std::string> lines_of_step(const std::vector<std::string>& lines, size_t& at) {
  std::vector<std::string> out = {lines[at++]};
  while (out.back().ends_with('\\') && at < lines.size()) out.push_back(lines[at++]);
  return out;
}

void read_step(std::vector<Word> words, const std::string& text, ReadingState& state, Diagnostics& diagnostics) {
  const std::string name = words[0].bare();
  const auto verb = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& v) { return name == v.name; });
  if (verb == verbs().end()) return diagnostics.add(words[0].place, fmt::format("no verb '{}'; there are {}", name, known_verbs()));
  const Place place = words[0].place;
  StepReader reader(std::move(words), state, diagnostics);
  Action action = verb->read(reader);
  if (action) state.file.steps.push_back({place, text, state.guest, std::move(action)});
}

}  // namespace

const ImageSpec* TestFile::image(std::string_view name) const {
  const auto found = std::find_if(images.begin(), images.end(), [&](const ImageSpec& i) { return i.name == name; });
  return found == images.end() ? nullptr : &*found;
}

const GuestSpec* TestFile::guest(std::string_view name) const {
  const auto found = std::find_if(guests.begin(), guests.end(), [&](const GuestSpec& g) { return g.name == name; });
  return found == guests.end() ? nullptr : &*found;
}

std::string TestFile::name() const {
  std::string out = source.path().substr(source.path().rfind('/') + 1);
  if (out.ends_with(".test")) out.resize(out.size() - 5);
  return out;
}

std::unique_ptr<TestFile> parse_test_file(Source source, const LoadContext& context, Diagnostics& diagnostics) {
  auto file = std::make_unique<TestFile>(std::move(source));
  const auto& lines = file->source.lines();
  size_t at = 0;
  std::string header;  // as many empty lines as stand before it
  while (at < lines.size() && (lines[at].empty() || lines[at][0] == '#')) at++;
  if (at < lines.size() && lines[at] == kFence) {
    header.assign(++at, '\n');
    const size_t begin = at;
    while (at < lines.size() && lines[at] != kFence) header += lines[at++] + "\n";
    if (at == lines.size()) diagnostics.add({static_cast<unsigned>(begin), 1}, "the header is not closed: a line +++ ends it");
    at++;
  }
  parse_header(header, context, *file, diagnostics);
  ReadingState state{*file, first_variables(*file), file->guests.size() == 1 ? file->guests[0].name : ""};
  check_header_variables(*file, state.variables, diagnostics);
  while (at < lines.size()) {
    const unsigned first = static_cast<unsigned>(at) + 1;
    const auto step_lines = lines_of_step(lines, at);
    auto words = split_step(step_lines, first, diagnostics);
    if (!words.empty()) read_step(std::move(words), std::string(file->source.line(first)), state, diagnostics);
  }
  if (state.repeats) diagnostics.add(*state.repeats, "the `repeat` is not ended: `end` does it");
  if (file->steps.empty() && diagnostics.empty()) diagnostics.add({static_cast<unsigned>(lines.size()), 1}, "the test has no steps");
  diagnostics.sort();
  return file;
}

std::unique_ptr<TestFile> load_test_file(const std::string& path, const LoadContext& context, Diagnostics& diagnostics) {
  auto source = Source::read(path);
  if (source) return parse_test_file(std::move(*source), context, diagnostics);
  diagnostics.add({0, 0}, source.error().message);
  return std::make_unique<TestFile>(Source(path, ""));
}

}  // namespace ia64::machine::regression
