// A small iSCSI target for tests: puts a LogicalUnit of ours on a loopback port.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/scsi/logical_unit.h"

namespace ia64::testing {

/// Serves logical unit 0 as TARGET_NAME to any number of sessions; each initiator name and ISID becomes an initiator of
/// its own. One command at a time per connection; no authentication, no digests. @source RFC 7143
class IscsiFront {
 public:
  static constexpr const char* kTargetName = "iqn.2004-01.test.ivm:disk";

  explicit IscsiFront(storage::scsi::LogicalUnit& target);
  ~IscsiFront();
  int port() const { return port_; }
  std::string url() const;  ///< iscsi://127.0.0.1:PORT/NAME/0

 private:
  class Connection;
  void accept_loop();
  u8 initiator_of(const std::string& name);

  storage::scsi::LogicalUnit& target_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
  std::map<std::string, u8> initiators_;
};

}  // namespace ia64::testing
