// ivm image: create, info, convert, commit, check, resize, import.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "machine/disk_report.h"
#include "storage/image_tools.h"
#include "storage/store_registry.h"
#include "tools/cli/command.h"

namespace ia64::cli {
namespace {

using namespace storage;

struct ImageArguments {
  std::string action_path, second, size;
  NewImage image;
  bool extents = false, shrink = false;
  std::function<int(ImageArguments&)> action;
};

int fail(const Error& e) {
  return usage_error(e.message.c_str());
}

Result<void> take_size(ImageArguments& a) {
  if (a.size.empty()) return {};
  const auto size = parse_size(a.size);
  if (!size) return size.error();
  a.image.size_bytes = *size;
  return {};
}

int create(ImageArguments& a) {
  if (auto ok = take_size(a); !ok) return fail(ok.error());
  a.image.path = a.action_path;
  auto done = create_image(a.image);
  return done ? 0 : fail(done.error());
}

int info(ImageArguments& a) {
  auto i = describe_image(a.action_path);
  if (!i) return fail(i.error());
  std::printf("%s\n  format %s, disk %llu bytes (%.1f MiB), stored %llu bytes, on the host %llu bytes\n", i->spec.c_str(), i->format.c_str(),
              static_cast<unsigned long long>(i->size_bytes), static_cast<double>(i->size_bytes) / (1 << 20),
              static_cast<unsigned long long>(i->stored_bytes), static_cast<unsigned long long>(i->host_bytes));
  if (i->host_pieces) std::printf("  contiguous pieces on the host's medium: %llu\n", static_cast<unsigned long long>(*i->host_pieces));
  for (const auto& note : i->notes) std::printf("  %s\n", note.c_str());
  std::printf("  %zu extent%s\n", i->extents.size(), i->extents.size() == 1 ? "" : "s");
  if (a.extents)
    for (const auto& [at, e] : i->extents)
      std::printf("    %llu %llu %s\n", static_cast<unsigned long long>(at), static_cast<unsigned long long>(e.size_bytes), e.mapped ? "data" : "hole");
  return 0;
}

int convert(ImageArguments& a) {
  a.image.path = a.second;
  const bool show = isatty(STDERR_FILENO);
  auto done = convert_image(a.action_path, a.image, [&](u64 at, u64 all) {
    if (show) std::fprintf(stderr, "\r%3llu %%%s", static_cast<unsigned long long>(at * 100 / all), at == all ? "\n" : "");
  });
  return done ? 0 : fail(done.error());
}

int commit(ImageArguments& a) {
  auto written = commit_overlay(a.action_path);
  if (!written) return fail(written.error());
  std::printf("%llu bytes written to the base\n", static_cast<unsigned long long>(*written));
  return 0;
}

int check(ImageArguments& a) {
  auto problems = check_image(a.action_path);
  if (!problems) return fail(problems.error());
  for (const auto& p : *problems) std::printf("%s\n", p.c_str());
  if (problems->empty()) std::puts("no problems found");
  return problems->empty() ? 0 : 1;
}

int resize(ImageArguments& a) {
  if (auto ok = take_size(a); !ok) return fail(ok.error());
  auto done = resize_image(a.action_path, a.image.size_bytes, a.shrink, a.image.reserve);
  return done ? 0 : fail(done.error());
}

int import(ImageArguments& a) {
  auto report = machine::report_disk(a.action_path);
  if (!report) return fail(report.error());
  std::fputs(report->c_str(), stdout);
  return 0;
}

}  // namespace

Run add_image(CLI::App& command) {
  auto a = std::make_shared<ImageArguments>();
  const auto action = [&](const char* name, const char* help, int (*run)(ImageArguments&), const char* path_help) {
    CLI::App* sub = command.add_subcommand(name, help);
    sub->add_option("image", a->action_path, path_help)->required();
    sub->callback([a, run] { a->action = run; });
    return sub;
  };
  const char* formats = "raw, qcow2, vhd, vhd-fixed or overlay";
  auto* c = action("create", "make an image file", create, "the new file");
  c->add_option("size", a->size, "size of the disk, e.g. 20G; an overlay has its base's");
  c->add_option("--format", a->image.format, formats)->capture_default_str();
  c->add_option("--base", a->image.base, "what lies below an overlay or a qcow2 image");
  c->add_flag("--reserve", a->image.reserve, "raw: allocate all space now");
  action("info", "describe an image", info, "an image file or a store specification")->add_flag("--extents", a->extents, "list data and holes");
  auto* v = action("convert", "copy a disk into a new image", convert, "an image file or a store specification");
  v->add_option("new", a->second, "the new file")->required();
  v->add_option("--format", a->image.format, "raw, qcow2, vhd or vhd-fixed")->capture_default_str();
  action("commit", "write an overlay's changes into its base", commit, "the overlay file");
  action("check", "look for damage in an image's tables", check, "the image file");
  auto* r = action("resize", "change the size of a raw or qcow2 image", resize, "the image file");
  r->add_option("size", a->size, "the new size")->required();
  r->add_flag("--shrink", a->shrink, "raw: allow to lose the end of the disk");
  r->add_flag("--reserve", a->image.reserve, "raw: allocate all space now");
  action("import", "show partitions, EFI files and boot texts of a disk; changes nothing", import, "an image file or a store specification");
  command.require_subcommand(1);
  return [a] { return a->action(*a); };
}

}  // namespace ia64::cli
