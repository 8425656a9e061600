// How the messages of a protocol are cut out of a byte stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ia64::machine {

/// One per connection. Keeps no more bytes than a message may have and what one read brings.
class Framing {
 public:
  virtual ~Framing() = default;
  virtual void add(std::string_view bytes) = 0;
  /// The next message; nullopt when none is complete. @param at_end nothing follows
  virtual std::optional<std::string> next(bool at_end) = 0;
  /// Whether the message under way is longer than allowed. To be asked when next() gave none.
  virtual bool overflowed() const = 0;
};

}  // namespace ia64::machine
