// The window's terminal without a window, for tests that drive it from outside: a line of words in, a line of words out.
//
//   feed HEX   ->  answer HEX          what the terminal says back
//   screen     ->  screen HEX          its rows as text
//   styles     ->  styles HEX          what is not plain, as golden_text.h writes it
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "machine/window/golden_text.h"
#include "machine/window/screen_model.h"

namespace {

std::vector<ia64::u8> bytes_of(const std::string& hex) {
  std::vector<ia64::u8> out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out.push_back(static_cast<ia64::u8>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return out;
}

void answer(const char* word, const std::string& text) {
  std::string hex;
  for (const char c : text) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<ia64::u8>(c));
    hex += digits;
  }
  std::cout << word << ' ' << hex << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: terminal_host ROWS COLUMNS\n"), 2;
  ia64::machine::window::ScreenModel model(static_cast<unsigned>(std::stoul(argv[1])), static_cast<unsigned>(std::stoul(argv[2])));
  std::string said;
  model.to_guest = [&](std::string_view bytes) { said += bytes; };
  std::string word, rest;
  while (std::cin >> word && std::getline(std::cin, rest)) {
    if (word == "feed") {
      model.feed(bytes_of(rest.substr(rest.find_first_not_of(' ') == std::string::npos ? rest.size() : 1)));
      answer("answer", std::exchange(said, {}));
    } else if (word == "screen") {
      answer("screen", ia64::machine::window::screen_text(model));
    } else if (word == "styles") {
      answer("styles", ia64::machine::window::style_text(model));
    } else {
      return std::fprintf(stderr, "terminal_host: '%s' is no word of this\n", word.c_str()), 2;
    }
  }
}
