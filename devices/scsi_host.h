// What every storage adapter offers to the board that fills its addresses.
#pragma once

#include <chrono>
#include <memory>

#include "storage/scsi/target.h"

namespace ia64::devices {

/// Targets of one SCSI adapter, which come and go while the guest runs.
class ScsiHost {
 public:
  virtual ~ScsiHost() = default;
  virtual unsigned addresses() const = 0;  ///< targets are 0 .. addresses() - 1
  /// Puts `target` at a free address. A running driver is told. Any thread.
  virtual void attach(unsigned number, std::unique_ptr<storage::scsi::ScsiTarget> target) = 0;
  /// Takes a target away once its requests have ended; nullptr when there was none. A running driver is told. Not from a
  /// completion, and not while another thread hands requests to this adapter.
  virtual std::unique_ptr<storage::scsi::ScsiTarget> detach(unsigned number) = 0;
  virtual storage::scsi::ScsiTarget* target(unsigned number) const = 0;
  /// Requests of the guest that one target has not answered yet. Any thread.
  virtual unsigned requests_in_flight(unsigned number) const = 0;
  /// Tells a running driver, where the adapter has a way to, about the unit attention a target has just raised. Any thread.
  /// @param code ASC << 8 | ASCQ
  virtual void target_changed(unsigned number, u16 code) = 0;
  /// Waits until every request has been answered and every interrupt sent; no processor runs meanwhile.
  /// @returns false when one is still in flight after `limit`; at once when something waits for a clock that only processors move
  virtual bool drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace ia64::devices
