// A regression test as written: a TOML header about its guests, and steps. docs/regression.md describes the language.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/regression/source.h"
#include "machine/regression/words.h"

namespace ia64::machine::regression {

class Execution;
struct Step;

/// Why a step failed, for people.
struct Failure {
  std::string message;               ///< one line
  std::vector<std::string> details;  ///< more lines
};
using Outcome = std::optional<Failure>;  ///< empty: well done

/// What a step does when its turn comes.
using Action = std::function<Outcome(Execution&, const Step&)>;

struct Step {
  Place place;
  std::string text;   ///< as written
  std::string guest;  ///< whom it concerns; empty when the file has several and none was chosen
  Action action;
};

/// A disk image that the test may change: a private one is made before the first step.
struct ImageSpec {
  enum class Kind : u8 { Copy, Overlay, Empty, Made } kind = Kind::Empty;
  std::string name;
  Template source;                ///< Copy: a file; Overlay: a file or a store
  u64 size_bytes = 0;             ///< Empty
  std::vector<Template> command;  ///< Made: program and arguments; ${path} is the image's
  Place place;
};

struct GuestSpec {
  std::string name;
  std::vector<Template> arguments;  ///< of `ivm run`
  Place place;
};

struct TestFile {
  explicit TestFile(Source text) : source(std::move(text)) {}

  Source source;
  std::string description;
  std::vector<std::string> tags;
  std::vector<Template> needs;  ///< files (with a slash) and programs
  u64 host_timeout_ms = 10 * 60'000;
  u64 guest_timeout_ms = 5 * 60'000;
  u64 max_output_bytes = u64{64} << 20;
  std::string prompt;
  Variables variables;  ///< with those of the command line
  std::vector<ImageSpec> images;
  std::vector<GuestSpec> guests;
  std::vector<Step> steps;

  const ImageSpec* image(std::string_view name) const;
  const GuestSpec* guest(std::string_view name) const;
  /// The file's name without its folders and ".test".
  std::string name() const;
};

/// What the options of `ivm run` are: long names, and whether a value follows.
using RunOptions = std::map<std::string, bool>;

struct LoadContext {
  RunOptions run_options;
  Variables variables;  ///< of the command line; they win over the file's
  std::string ivm;      ///< path of the program
};

/// Reads and checks a whole file. Everything that is wrong goes to `diagnostics`, about a file that is not there as well.
std::unique_ptr<TestFile> load_test_file(const std::string& path, const LoadContext& context, Diagnostics& diagnostics);
/// The same for text at hand.
std::unique_ptr<TestFile> parse_test_file(Source source, const LoadContext& context, Diagnostics& diagnostics);

/// Fills in everything but the steps. @param text the header's lines, with empty ones in front up to its first
void parse_header(const std::string& text, const LoadContext& context, TestFile& file, Diagnostics& diagnostics);

/// "90s", "10m", "1h", "500ms", or a number of seconds. @returns milliseconds; nullopt for anything else, and beyond a week
std::optional<u64> parse_duration(std::string_view text);

}  // namespace ia64::machine::regression
