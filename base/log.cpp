// Trace channel switches and output.
#include "base/log.h"

#include "base/log_listener.h"

#include <cstdio>
#include <cstring>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <set>
#include <utility>

namespace ia64::log {
namespace {

struct ChannelRow {
  Channel channel;
  std::string_view name;
  const char* help;
};
constexpr ChannelRow kChannels[] = {
#define X(e, name, help) {Channel::e, name, help},
    LOG_CHANNELS(X)
#undef X
};

constexpr u64 kAlwaysOn = (u64{1} << static_cast<unsigned>(Channel::Error)) |
                          (u64{1} << static_cast<unsigned>(Channel::Warn));

std::mutex mutex;
std::FILE* output = nullptr;  // stderr when null
std::set<std::pair<Channel, u64>> seen;
std::shared_mutex listener_mutex;  // held, shared, while the listener runs
std::function<void(Channel, std::string_view)> listener;

void tell_listener(Channel c, std::string_view text) {
  if (c != Channel::Error && c != Channel::Warn) return;
  std::shared_lock lock(listener_mutex);
  if (listener) listener(c, text);
}

void print(Channel c, std::string_view text);

Result<u64> mask_of(std::string_view name) {
  if (name == "all") return ~u64{0};
  for (const auto& row : kChannels)
    if (row.name == name) return u64{1} << static_cast<unsigned>(row.channel);
  std::string known;
  for (const auto& row : kChannels) known += fmt::format(" {}", row.name);
  return Error{ErrorKind::Invalid, fmt::format("no trace channel '{}'; known:{} all", name, known)};
}

Result<u64> mask_of_list(std::string_view list) {
  u64 all = 0;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto name = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (name.empty()) continue;
    auto mask = mask_of(name);
    if (!mask) return mask.error();
    all |= *mask;
  }
  return all;
}

}  // namespace

std::atomic<u64> enabled_mask{kAlwaysOn};

Result<void> enable(std::string_view list) {
  auto mask = mask_of_list(list);
  if (!mask) return mask.error();
  enabled_mask.fetch_or(*mask);
  return {};
}

Result<void> disable(std::string_view list) {
  auto mask = mask_of_list(list);
  if (!mask) return mask.error();
  enabled_mask.fetch_and(~*mask | kAlwaysOn);
  return {};
}

std::vector<ChannelState> channels() {
  std::vector<ChannelState> out;
  for (const auto& row : kChannels) out.push_back({row.name.data(), row.help, on(row.channel)});
  return out;
}

Result<void> to_file(const std::string& path) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  if (!f) return Error{ErrorKind::Io, fmt::format("cannot open trace file {}: {}", path, std::strerror(errno))};
  std::lock_guard lock(mutex);
  if (output) std::fclose(output);
  output = f;
  return {};
}

void set_listener(std::function<void(Channel, std::string_view)> next) {
  std::unique_lock lock(listener_mutex);
  listener = std::move(next);
}

void write(Channel c, std::string_view text) {
  print(c, text);
  tell_listener(c, text);
}

namespace {

void print(Channel c, std::string_view text) {
  const auto name = kChannels[static_cast<unsigned>(c)].name;
  std::lock_guard lock(mutex);
  std::FILE* f = output ? output : stderr;
  std::fprintf(f, "ivm: %.*s: %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(text.size()),
               text.data());
  std::fflush(f);
}

}  // namespace

bool first_time(Channel c, u64 key) {
  std::lock_guard lock(mutex);
  return seen.size() < 100000 && seen.emplace(c, key).second;
}

}  // namespace ia64::log
