// Result<T>: a value or a host failure with a stable kind and a message for people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ia64 {

enum class ErrorKind { NotFound, AccessDenied, Locked, Invalid, Unsupported, Io, NoSpace, OutOfRange, Internal };

/// A host failure (file, socket, option). Never used for guest-visible outcomes.
/// `message` is one line naming the thing, the operation and the reason, fit to show to a user.
struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;
};

/// Either a T or an Error. Check with `if (!r)`; `*r` and `r->` need a value, `error()` needs none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}
  explicit operator bool() const { return v_.index() == 0; }
  bool ok() const { return v_.index() == 0; }
  T& operator*() & { return std::get<0>(v_); }
  const T& operator*() const& { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  const Error& error() const { return std::get<1>(v_); }

 private:
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : e_(std::move(error)) {}
  explicit operator bool() const { return !e_; }
  bool ok() const { return !e_; }
  const Error& error() const { return *e_; }

 private:
  std::optional<Error> e_;
};

}  // namespace ia64
