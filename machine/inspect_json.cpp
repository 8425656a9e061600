// Builds a JSON object from an inspection.
#include "machine/inspect_json.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace ia64::machine {

namespace {

using Json = nlohmann::ordered_json;

class JsonWriter final : public InspectWriter {
 public:
  void begin(std::string_view name) override {
    Json& parent = *open_.back();
    std::string key(name);
    for (unsigned n = 2; parent.contains(key); n++) key = std::string(name) + "#" + std::to_string(n);  // the second of its kind
    parent[key] = Json::object();
    open_.push_back(&parent[key]);
  }
  void end() override { open_.pop_back(); }
  void value(std::string_view name, u64 v) override { (*open_.back())[std::string(name)] = v; }
  void text(std::string_view name, std::string_view v) override { (*open_.back())[std::string(name)] = std::string(v); }
  std::string result() const { return root_.dump(2); }

 private:
  Json root_ = Json::object();
  std::vector<Json*> open_{&root_};
};

}  // namespace

std::string inspect_json(const Inspectable& component) {
  JsonWriter writer;
  component.inspect(writer);
  return writer.result();
}

}  // namespace ia64::machine
