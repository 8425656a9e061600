// The processor interrupt bus: messages from I/O SAPICs, MSIs and IPIs to local SAPICs.
#pragma once

#include "base/int_types.h"

namespace ia64 {

/// Delivery modes of an interrupt message. @source SDM vol. 2, 5.8.4; I/O SAPIC RTE bits 10:8
enum class DeliveryMode : u8 { Fixed = 0, LowestPriority = 1, Pmi = 2, Nmi = 4, Init = 5, ExtInt = 7 };

class InterruptBus {
 public:
  virtual ~InterruptBus() = default;
  /// Sends one message. @param id_eid destination local SAPIC, id in bits 15:8 and eid in 7:0 (LID bits 31:16)
  /// An absent destination drops the message, as hardware does. Thread rule: any thread.
  virtual void deliver(u16 id_eid, DeliveryMode mode, u8 vector) = 0;
};

}  // namespace ia64
