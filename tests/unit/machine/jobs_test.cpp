// Long commands: progress, the end, calling off.
#include "machine/control/jobs.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::control;

namespace {

struct Rig {
  std::vector<Json> told;
  Jobs jobs{[this](Json data) { told.push_back(std::move(data)); }};
};

}  // namespace

TEST_CASE("jobs: begin, progress and end are told, progress in few steps", "[machine]") {
  Rig r;
  const auto id = r.jobs.start({.command = "save", .total = 6400, .unit = "pages"});
  for (u64 n = 1; n < 6400; n++) r.jobs.progress(id, n);
  r.jobs.end(id, Json{{"name", "x"}});
  CHECK(r.told.size() == 1 + 63 + 1);
  CHECK(r.told[0] == Json{{"job", id}, {"command", "save"}, {"state", "running"}, {"done", 0}, {"total", 6400}, {"unit", "pages"}});
  CHECK(r.told[1]["done"] == 100);
  CHECK(r.told.back()["state"] == "done");
  CHECK(r.told.back()["done"] == 6400);
  r.jobs.progress(id, 6401);
  r.jobs.end(id, Json());
  CHECK(r.told.size() == 65);
}

TEST_CASE("jobs: whoever waits hears the result, at once when it is there", "[machine]") {
  Rig r;
  const auto id = r.jobs.start({.command = "type"});
  std::vector<std::string> heard;
  const auto hear = [&](const Result<Json>& result) { heard.push_back(result ? result->dump() : result.error().message); };
  CHECK(r.jobs.when_ended(id, hear));
  CHECK(r.jobs.when_ended(id, hear));
  CHECK(heard.empty());
  r.jobs.end(id, ia64::Error{ErrorKind::Io, "broken"});
  CHECK(r.jobs.when_ended(id, hear));
  CHECK(heard == std::vector<std::string>{"broken", "broken", "broken"});
  CHECK(r.told.back()["state"] == "failed");
  CHECK(r.told.back()["message"] == "broken");
  CHECK_FALSE(r.jobs.when_ended(id + 1, hear));
}

TEST_CASE("jobs: only a running job that can be stopped is", "[machine]") {
  Rig r;
  Jobs::Id id = 0;
  id = r.jobs.start({.command = "type", .cancel = [&]() -> Result<void> {
                       r.jobs.end(id, ia64::Error{ErrorKind::Unsupported, "cancelled"});
                       return {};
                     }});
  const auto stubborn = r.jobs.start({.command = "save"});
  CHECK(r.jobs.cancel(id));
  CHECK(r.jobs.list()[0]["state"] == "cancelled");
  CHECK(r.jobs.cancel(id).error().message == "job 1 has ended");
  CHECK(r.jobs.cancel(stubborn).error().kind == ErrorKind::Unsupported);
  CHECK(r.jobs.cancel(7).error().kind == ErrorKind::NotFound);
}

TEST_CASE("jobs: the last ones that ended are kept, and all that run", "[machine]") {
  Rig r;
  const auto running = r.jobs.start({.command = "save"});
  for (unsigned n = 0; n < 100; n++) r.jobs.end(r.jobs.start({.command = "type"}), Json());
  const Json list = r.jobs.list();
  CHECK(list.size() == 18);
  CHECK(list[0]["job"] == running);
}
