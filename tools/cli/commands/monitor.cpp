// ivm monitor: commands to a running guest, one by one at a prompt or given in the command line.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "machine/control/control_client.h"
#include "machine/control/protocol.h"
#include "machine/control/text_report.h"
#include "tools/cli/command.h"
#include "tools/cli/monitor/line_editor.h"

namespace ia64::cli {
namespace {

using machine::control::ControlClient;
using machine::control::Json;

constexpr int kOk = 0, kRefused = 1;

struct MonitorArguments {
  std::string endpoint;
  std::vector<std::string> commands;
  bool json = false;
};

/// One connection and how its answers are shown.
class Monitor {
 public:
  Monitor(ControlClient client, bool json) : client_(std::move(client)), json_(json) {
    client_.on_event = [this](const Json& event) { show_event(event); };
  }

  /// Runs a line and prints what comes back. @returns kOk, or kRefused when the command failed
  int run(const std::string& line) {
    auto reply = client_.request(line);
    if (!reply) {
      alive_ = false;
      std::fprintf(stderr, "ivm: %s\n", reply.error().message.c_str());
      return kRefused;
    }
    reply->erase("id");
    const bool failed = !reply->contains("result");
    if (json_)
      std::printf("%s\n", machine::control::to_text(failed ? *reply : (*reply)["result"]).c_str());
    else if (failed)
      std::fprintf(stderr, "ivm: %s\n", (*reply)["error"].value("message", "the command failed").c_str());
    else
      std::fputs(text_of(line, (*reply)["result"]).c_str(), stdout);
    std::fflush(stdout);
    return failed ? kRefused : kOk;
  }

  /// Lines of standard input, a person's or a file's.
  int run_input() {
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) return run_terminal(), kOk;
    int status = kOk;
    for (std::string line; alive_ && std::getline(std::cin, line);)
      if (line.find_first_not_of(" \t") != std::string::npos) status = std::max(status, run(line));
    return status;
  }

 private:
  static bool first_word_is(const std::string& line, std::initializer_list<const char*> words) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) return false;
    const std::string word = line.substr(begin, line.find_first_of(" \t", begin) - begin);
    return std::any_of(words.begin(), words.end(), [&](const char* w) { return !strcasecmp(w, word.c_str()); });
  }

  static std::string text_of(const std::string& line, const Json& result) {
    return first_word_is(line, {"help", "he"}) ? machine::control::help_text(result) : machine::control::report_text(result);
  }

  void show_event(const Json& event) {
    LineEditor::print_above(json_ ? machine::control::to_text(event) : machine::control::event_text(event));
  }

  void run_terminal() {
    std::printf("Guest %s. `help` lists the commands, Tab completes them; `exit` or Ctrl-D leaves.\n", client_.guest().c_str());
    ask("events state");  // breakpoints speak up by themselves
    const char* const home = std::getenv("HOME");
    LineEditor::run(fmt::format("[{}] ivm> ", client_.guest()), home ? std::string(home) + "/.ivm_history" : "", client_.fd(),
                    {.line = [this](const std::string& line) { return on_line(line); },
                     .complete = [this](const auto& before, const auto& word) { return complete(before, word); },
                     .readable =
                         [this] {
                           if (client_.read_events()) return true;
                           LineEditor::print_above("the guest has ended");
                           return false;
                         }});
  }

  bool on_line(const std::string& line) {
    const bool confirmed = std::exchange(confirming_, false);
    if (confirmed) {
      if (line == "yes") run("quit");
      return alive_;
    }
    if (line.find_first_not_of(" \t") == std::string::npos) return true;
    if (first_word_is(line, {"exit", "x"})) return false;
    if (first_word_is(line, {"quit"})) {
      std::puts("This ends the guest at once, as a power failure would; `exit` leaves the monitor. Type yes to end the guest.");
      confirming_ = true;
      return true;
    }
    run(line);
    return alive_;
  }

  /// The result of a command, for completion; null when it failed.
  Json ask(const std::string& line) {
    auto reply = client_.request(line);
    return reply && reply->contains("result") ? (*reply)["result"] : Json();
  }

  std::vector<std::string> complete(const std::vector<std::string>& before, const std::string& word) {
    std::vector<std::string> out;
    if (before.empty() || (before.size() == 1 && first_word_is(before[0], {"help"}))) {
      for (const Json& c : ask("help").value("commands", Json::array())) out.push_back(c.value("name", ""));
      if (before.empty()) out.push_back("exit");
      return out;
    }
    const Json command = ask("help " + before[0]);
    if (!command.is_object()) return out;
    for (const Json& a : command.value("arguments", Json::array())) {
      const std::string type = a.value("type", ""), name = a.value("name", "");
      if (type == "flag") out.push_back(name);
      if (type == "address") add_addresses(out);
      if (type == "text" && (name == "address" || name == "name")) add_symbols(out, word);
      if (name == "channels") add_channels(out);
      add_words(out, command.value("name", ""), name);
      if (name == "image") add_images(out);
      if (name == "resource")
        for (const char* start : {"disk:avio_stor:", "disk:scsi:", "dvd:avio_stor:", "dvd:scsi:", "hba:avio_stor:", "hba:scsi:"}) out.push_back(start);
    }
    return out;
  }
  /// Arguments that know few words.
  static void add_words(std::vector<std::string>& out, const std::string& command, const std::string& argument) {
    struct Row {
      const char *command, *argument;
      std::vector<const char*> words;
    };
    static const Row kRows[] = {{"efi", "what", {"variables", "handles", "protocols", "memory-map", "images"}},
                                {"trace", "state", {"on", "off"}},
                                {"branches", "what", {"on", "off"}},
                                {"tlb", "kind", {"itr", "dtr", "itc", "dtc", "tr", "tc"}},
                                {"watchpoint", "kind", {"write", "read", "access"}},
                                {"delete", "number", {"all"}}};
    for (const Row& row : kRows)
      if (command == row.command && argument == row.argument) out.insert(out.end(), row.words.begin(), row.words.end());
  }
  void add_symbols(std::vector<std::string>& out, const std::string& word) {
    const Json names = word.empty() || word.find_first_of("'\"\\*+-") != std::string::npos ? Json() : ask("symbol " + word + "*");
    if (!names.is_object()) return;
    for (const Json& n : names.value("names", Json::array())) out.push_back(n.value("name", ""));
  }
  void add_channels(std::vector<std::string>& out) {
    const Json channels = ask("trace");
    if (!channels.is_object()) return;
    for (const Json& c : channels.value("channels", Json::array())) out.push_back(c.value("channel", ""));
    out.push_back("all");
  }
  void add_addresses(std::vector<std::string>& out) {
    const Json storage = ask("storage");
    if (!storage.is_object()) return;
    for (const Json& adapter : storage.value("adapters", Json::array()))
      for (const Json& device : adapter.value("devices", Json::array())) out.push_back(device.value("address", ""));
  }
  void add_images(std::vector<std::string>& out) {
    const Json media = ask("media");
    if (!media.is_object()) return;
    for (const Json& drive : media.value("drives", Json::array()))
      for (const Json& choice : drive.value("choices", Json::array())) out.push_back(choice.get<std::string>());
  }

  ControlClient client_;
  const bool json_;
  bool alive_ = true, confirming_ = false;
};

int run(const MonitorArguments& a) {
  auto client = ControlClient::connect(a.endpoint);
  if (!client) return usage_error(client.error().message.c_str());
  Monitor monitor(std::move(*client), a.json);
  if (a.commands.empty()) return monitor.run_input();
  for (const std::string& line : a.commands)
    if (const int status = monitor.run(line)) return status;
  return kOk;
}

}  // namespace

Run add_monitor(CLI::App& command) {
  auto a = std::make_shared<MonitorArguments>();
  command.add_option("socket", a->endpoint, "the guest's --control: PATH, unix:PATH or tcp:127.0.0.1:PORT")->required();
  command.add_option("-c,--command", a->commands, "run this command and end; repeatable, stops at the first that fails")->take_all()->expected(1);
  command.add_flag("--json", a->json, "print results as JSON, one a line, for scripts");
  command.footer(
      "Without -c, commands come from standard input; at a terminal with editing, history and completion. `help` lists them.\n"
      "Exit status: 0 done, 1 a command failed, 2 bad usage or nobody listens.");
  return [a] { return run(*a); };
}

}  // namespace ia64::cli
