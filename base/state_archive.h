// Saving and loading of state by one description: a function names the fields once and serves both directions.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/endian.h"

namespace ia64 {

/// Takes the fields of a state in order: appends them when it saves, fills them when it loads. Integers are little-endian
/// in their own width, enumerations as their integers, `bool` as a byte; sequences have their length, as 32 bits, in front.
/// A struct takes part by a member `void visit_state(StateArchive&)` or a function `visit_state(StateArchive&, T&)` beside it:
///
///     void visit_state(StateArchive& a) { a(select, rtes); }
///
/// Bytes that are loaded may be anything. The first mistake is kept in error(), and from then on nothing is loaded any more;
/// whoever describes a field that other code takes for granted says with require() what holds for it. One thread.
class StateArchive {
 public:
  /// Saves.
  StateArchive() = default;
  /// Loads. @param bytes outlive this
  explicit StateArchive(std::span<const u8> bytes) : input_(bytes), loading_(true) {}

  bool loading() const { return loading_; }
  bool ok() const { return error_.empty(); }
  /// Loading: what is wrong, in a few words; empty while nothing is.
  const std::string& error() const { return error_; }
  /// What has been saved.
  const std::vector<u8>& saved() const { return output_; }
  /// Loading: bytes that no field has taken.
  size_t left() const { return input_.size() - at_; }

  template <class... T>
  void operator()(T&... fields) {
    (field(fields), ...);
  }
  /// Loading: the state is damaged unless `holds`. @param what names the field
  void require(bool holds, std::string_view what) {
    if (loading_ && !holds && ok()) error_ = std::string(what) + " is out of range";
  }
  /// Something that must be the same where the state is loaded: a number of pins, a size.
  template <class T>
  void same(const T& value, std::string_view what) {
    T copy = value;
    field(copy);
    if (loading_ && ok() && copy != value) error_ = std::string(what) + " differs";
  }
  /// The elements of a sequence whose length does not change.
  template <class Sequence>
  void fixed(Sequence& elements, std::string_view what) {
    same(static_cast<u32>(elements.size()), what);
    for (auto& e : elements) field(e);
  }
  /// As a field, of a type that is another one's copy: a bit of a vector<bool>, a value behind accessors.
  template <class T, class Set>
  void value(T now, Set&& set) {
    field(now);
    if (loading_ && ok()) set(now);
  }

 private:
  static constexpr u32 kMostElements = 1u << 24;

  bool take(void* to, size_t size) {
    if (!ok()) return false;
    if (left() < size) return error_ = "it is cut short", false;
    std::memcpy(to, input_.data() + at_, size);
    at_ += size;
    return true;
  }
  void raw(void* bytes, size_t size) {
    if (loading_) return void(take(bytes, size));
    const auto* from = static_cast<const u8*>(bytes);
    output_.insert(output_.end(), from, from + size);
  }

  template <class T>
  void field(T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      u8 byte = v;
      raw(&byte, 1);
      require(byte <= 1, "a flag");
      if (loading_) v = byte == 1;
    } else if constexpr (std::is_enum_v<T>) {
      auto number = static_cast<std::underlying_type_t<T>>(v);
      field(number);
      v = static_cast<T>(number);
    } else if constexpr (std::is_integral_v<T>) {
      raw(&v, sizeof v);
    } else if constexpr (requires { v.visit_state(*this); }) {
      v.visit_state(*this);
    } else {
      visit_state(*this, v);
    }
  }
  template <class T>
  void field(std::atomic<T>& v) {
    T copy = v.load(std::memory_order_relaxed);
    field(copy);
    if (loading_) v.store(copy, std::memory_order_relaxed);
  }
  template <class T, size_t N>
  void field(T (&array)[N]) {
    field(std::span<T>(array));
  }
  template <class T, size_t N>
  void field(std::array<T, N>& array) {
    field(std::span<T>(array));
  }
  template <class T>
  void field(std::span<T> elements) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      raw(elements.data(), elements.size_bytes());
    else
      for (auto& e : elements) field(e);
  }
  /// The length of a sequence. No element is shorter than a byte, so that a damaged length allocates nothing.
  size_t length(size_t now) {
    u32 n = static_cast<u32>(now);
    field(n);
    require(n <= kMostElements && n <= left(), "a length");
    return ok() ? n : 0;
  }
  template <class Sequence>
  void sequence(Sequence& s) {
    const size_t n = length(s.size());
    if (loading_) s.clear(), s.resize(n);
    for (auto& e : s) field(e);
  }
  template <class T>
  void field(std::vector<T>& s) {
    sequence(s);
  }
  template <class T>
  void field(std::deque<T>& s) {
    sequence(s);
  }
  template <class Char>
  void field(std::basic_string<Char>& s) {
    sequence(s);
  }
  template <class T>
  void field(std::optional<T>& v) {
    bool there = v.has_value();
    field(there);
    if (loading_) there ? void(v.emplace()) : v.reset();
    if (there && v) field(*v);
  }
  template <class Key, class Value>
  void field(std::map<Key, Value>& m) {
    const size_t n = length(m.size());
    if (loading_) return load_map(m, n);
    for (auto& [key, value] : m) {
      Key copy = key;
      field(copy);
      field(value);
    }
  }
  template <class Key, class Value>
  void load_map(std::map<Key, Value>& m, size_t n) {
    m.clear();
    while (n-- > 0 && ok()) {
      Key key{};
      field(key);
      Value value{};
      field(value);
      require(m.emplace(std::move(key), std::move(value)).second, "a key, which is there twice,");
    }
  }

  std::vector<u8> output_;
  std::span<const u8> input_;
  size_t at_ = 0;
  bool loading_ = false;
  std::string error_;
};

}  // namespace ia64
