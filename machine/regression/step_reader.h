// What a verb asks for when it reads its step: words, patterns, times, with a complaint for each that is not as it should be.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "machine/host/console_pattern.h"
#include "machine/regression/test_file.h"

namespace ia64::machine::regression {

/// A pattern whose variables are known when its step runs.
struct PatternTemplate {
  Word word;
  /// @returns Invalid when the value of a variable makes no expression
  Result<ConsolePattern> make(const Variables& variables) const;
};

/// What is known while the steps of a file are read, one after the other.
struct ReadingState {
  TestFile& file;
  std::set<std::string> variables;  ///< that are set when the next step runs
  std::string guest;                ///< that the next step concerns; empty: not chosen yet
  std::optional<Place> repeats = {};  ///< where the `repeat` stands that is not ended yet
};

/// One step. Every reader adds a diagnostic and returns something harmless when the words are not what it needs.
class StepReader {
 public:
  StepReader(std::vector<Word> words, ReadingState& state, Diagnostics& diagnostics)
      : words_(std::move(words)), state_(state), diagnostics_(diagnostics), complaints_before_(diagnostics.all().size()) {}

  bool at_end() const { return next_ == words_.size(); }
  /// Whether the next word is this bare word; takes it.
  bool keyword(std::string_view name);
  /// The next bare word without variables. @param what for the complaint
  std::string name(const char* what);
  /// A string, or a bare word.
  Template text(const char* what);
  /// "string" or /expression/; its named groups become variables.
  PatternTemplate pattern(const char* what);
  bool pattern_is_next() const;
  /// `within TIME`, where it is there: milliseconds of guest time.
  std::optional<u64> within();
  u64 number(const char* what, u64 most);
  /// The name of a variable that this step sets.
  std::string new_variable();
  /// The step sets this variable.
  void sets(const std::string& variable) { sets_.push_back(variable); }
  /// The name of an image of the header.
  std::string image();

  void complain(std::string message);          ///< about the word that comes next, or the end
  void complain_last(std::string message);     ///< about the word taken last
  /// Complains about words that are left, and about a guest that is not chosen.
  void finish(bool needs_guest);

  ReadingState& state() { return state_; }
  Place place() const { return words_[0].place; }  ///< of the verb

 private:
  void check_variables(const Template& text);
  Place place_of_next() const;

  std::vector<Word> words_;
  ReadingState& state_;
  Diagnostics& diagnostics_;
  const size_t complaints_before_;
  size_t next_ = 1;  // behind the verb
  std::vector<std::string> sets_;
};

}  // namespace ia64::machine::regression
