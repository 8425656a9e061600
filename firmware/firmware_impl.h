// What the public face of firmware holds. Private to firmware.
#pragma once

#include "base/log.h"
#include "firmware/firmware.h"
#include "firmware/power_on.h"

namespace ia64::firmware {

struct Firmware::Impl {
  Impl(BoardDescription b, AddressSpace& bus, Clock& clock, FirmwareHost& host, FirmwareOptions o)
      : board(std::move(b)), bus(bus), clock(clock), host(host), options(std::move(o)) {}

  void load_variables() {
    const auto image = host.load_nvram();
    if (image.empty()) return;
    if (const auto r = variables.load(image); !r) {
      LOG(Warn, "{}; starting with empty variables", r.error().message);
      host.nvram_rejected(r.error().message);
    }
  }

  const BoardDescription board;
  AddressSpace& bus;
  Clock& clock;
  FirmwareHost& host;
  FirmwareOptions options;
  VariableStore variables;
  std::unique_ptr<PowerOn> power_on;
};

}  // namespace ia64::firmware
