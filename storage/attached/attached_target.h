// A SCSI target whose commands go to a real device.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "storage/attached/pass_through.h"
#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

/// Tapes, media changers, burners: commands pass unchanged, one after the other, data and sense come back as the device
/// gave them. Kept from the guest for the host's safety: firmware downloads and EXTENDED COPY, which reach past the device.
/// At most 1 MiB a command. Only logical unit 0 is shown, whatever the device's own number is. Any thread.
/// @source integrity-vm reference 2.3, attached devices
class AttachedTarget final : public ScsiTarget {
 public:
  static constexpr u64 kMaxTransferBytes = 1 << 20;

  explicit AttachedTarget(std::unique_ptr<PassThrough> device);
  ~AttachedTarget() override;

  void submit(Task task) override;
  /// Bus, target and unit resets reach the device; a power-on of the guest does not, for it would lose a tape's position.
  void reset(ResetKind kind) override;
  std::string describe() const override { return device_->describe(); }

 private:
  void run();
  Result perform(Task& task);

  const std::unique_ptr<PassThrough> device_;
  std::vector<u8> buffer_;  // of the worker
  std::mutex mutex_;        // guards what follows
  std::condition_variable wake_;
  std::deque<std::optional<Task>> queue_;  // nothing: a reset
  bool stopping_ = false;
  std::thread worker_;
};

/// Asks an opened device (INQUIRY) whether it is the `device` ("tape", "changer", "burner") that a resource statement calls it.
/// A disk of this host is refused, since what the guest does to it passes all locks; any other difference is a warning.
ia64::Result<void> check_attached_kind(std::string_view device, const std::string& location, PassThrough& host);

}  // namespace ia64::storage::scsi
