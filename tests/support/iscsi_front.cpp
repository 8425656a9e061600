// iSCSI front for tests: login, commands, data both ways, task management.
#include "tests/support/iscsi_front.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstring>

#include "base/endian.h"

namespace ia64::testing {

using namespace storage::scsi;

namespace {

constexpr size_t kHead = 48;
constexpr u32 kSegment = 65536, kBurst = 1u << 20;

using Head = std::array<u8, kHead>;

bool read_all(int fd, void* to, size_t n) {
  auto* p = static_cast<u8*>(to);
  while (n) {
    const ssize_t r = recv(fd, p, n, 0);
    if (r <= 0) return false;
    p += r, n -= static_cast<size_t>(r);
  }
  return true;
}

bool write_all(int fd, const void* from, size_t n) {
  auto* p = static_cast<const u8*>(from);
  while (n) {
    const ssize_t r = send(fd, p, n, MSG_NOSIGNAL);
    if (r <= 0) return false;
    p += r, n -= static_cast<size_t>(r);
  }
  return true;
}

}  // namespace

class IscsiFront::Connection {
 public:
  Connection(IscsiFront& front, int fd) : front_(front), fd_(fd) {}
  void run() {
    while (receive(head_, data_) && serve()) {
    }
    front_.target_.nexus_lost(initiator_);
  }

 private:
  bool receive(Head& head, std::vector<u8>& data) {
    if (!read_all(fd_, head.data(), kHead)) return false;
    const u32 length = load_be<u32>(&head[4]) & 0xff'ffff;
    std::vector<u8> extra(size_t{head[4]} * 4);
    data.resize((length + 3) & ~3u);
    if (!read_all(fd_, extra.data(), extra.size()) || !read_all(fd_, data.data(), data.size())) return false;
    data.resize(length);
    return true;
  }
  bool send_pdu(Head& head, std::span<const u8> data) {
    store_be<u32>(&head[4], static_cast<u32>(data.size()));
    const u8 pad[4] = {};
    return write_all(fd_, head.data(), kHead) && write_all(fd_, data.data(), data.size()) &&
           write_all(fd_, pad, (4 - data.size() % 4) % 4);
  }
  /// A response head with the initiator's tag and the sequence numbers. @param status uses up a StatSN
  Head answer(u8 opcode, u8 flags, bool status = true) {
    Head h{};
    h[0] = opcode, h[1] = flags;
    std::copy_n(&head_[16], 4, &h[16]);
    store_be<u32>(&h[24], status ? stat_sn_++ : stat_sn_);
    store_be<u32>(&h[28], expected_);
    store_be<u32>(&h[32], expected_ + 63);
    return h;
  }
  bool serve() {
    const u8 opcode = head_[0] & 0x3f;
    const bool immediate = head_[0] & 0x40;
    if (opcode == 0x03) return login();
    if (!immediate && opcode != 0x05 && opcode != 0x10) {
      if (load_be<u32>(&head_[24]) - expected_ > 63) return true;  // outside the window: ignored
      expected_ = load_be<u32>(&head_[24]) + 1;
    }
    switch (opcode) {
      case 0x00: return nop();
      case 0x01: return command();
      case 0x02: return management();
      case 0x04: return text();
      case 0x06: {
        auto h = answer(0x26, 0x80);
        send_pdu(h, {});
        return false;
      }
      default: return true;  // stray data after an aborted command
    }
  }
  bool nop() {
    if (load_be<u32>(&head_[16]) == 0xffff'ffff) return true;
    auto h = answer(0x20, 0x80);
    store_be<u32>(&h[20], 0xffff'ffff);
    return send_pdu(h, data_);
  }

  std::map<std::string, std::string> keys() const {
    std::map<std::string, std::string> out;
    for (size_t at = 0; at < data_.size();) {
      const std::string line(reinterpret_cast<const char*>(&data_[at]),
                             strnlen(reinterpret_cast<const char*>(&data_[at]), data_.size() - at));
      at += line.size() + 1;
      if (const auto eq = line.find('='); eq != std::string::npos) out[line.substr(0, eq)] = line.substr(eq + 1);
    }
    return out;
  }
  static void add(std::vector<u8>& out, const std::string& line) {
    out.insert(out.end(), line.begin(), line.end());
    out.push_back(0);
  }
  bool login() {
    const auto offered = keys();
    if (const auto name = offered.find("InitiatorName"); name != offered.end())
      initiator_ = front_.initiator_of(name->second + std::string(reinterpret_cast<const char*>(&head_[8]), 6));
    expected_ = load_be<u32>(&head_[24]);
    static const std::map<std::string, std::string> kOurs{
        {"HeaderDigest", "None"},     {"DataDigest", "None"},       {"InitialR2T", "Yes"},      {"ImmediateData", "Yes"},
        {"MaxBurstLength", "1048576"}, {"FirstBurstLength", "65536"}, {"MaxOutstandingR2T", "1"}, {"MaxConnections", "1"},
        {"DataPDUInOrder", "Yes"},    {"DataSequenceInOrder", "Yes"}, {"ErrorRecoveryLevel", "0"}, {"AuthMethod", "None"},
        {"DefaultTime2Wait", "0"},    {"DefaultTime2Retain", "0"}};
    std::vector<u8> out;
    for (const auto& [key, value] : offered)
      if (const auto own = kOurs.find(key); own != kOurs.end()) add(out, key + "=" + own->second);
    if (head_[1] & 0x04) add(out, "MaxRecvDataSegmentLength=" + std::to_string(kSegment)); 
    if ((head_[1] >> 2 & 3) == 0) add(out, "TargetPortalGroupTag=1");
    auto h = answer(0x23, head_[1] & 0x8f);
    std::copy_n(&head_[8], 6, &h[8]);
    h[15] = 1;  // TSIH
    return send_pdu(h, out);
  }
  bool text() {
    std::vector<u8> out;
    if (keys().count("SendTargets")) {
      add(out, std::string("TargetName=") + kTargetName);
      add(out, "TargetAddress=127.0.0.1:" + std::to_string(front_.port_) + ",1");
    }
    auto h = answer(0x24, 0x80);
    store_be<u32>(&h[20], 0xffff'ffff);
    return send_pdu(h, out);
  }
  bool management() {
    const u8 function = head_[1] & 0x7f;
    if (function == 5) front_.target_.reset(ResetKind::LogicalUnit);
    if (function == 6 || function == 7) front_.target_.reset(ResetKind::Target);
    auto h = answer(0x22, 0x80);
    h[2] = function >= 1 && function <= 7 ? (function == 1 ? 1 : 0) : 255;  // a task to abort is always over already
    return send_pdu(h, {});
  }

  // --- commands
  bool fetch(std::vector<u8>& out, u32 wanted, const Head& command) {
    std::copy(data_.begin(), data_.end(), out.begin());
    u32 at = static_cast<u32>(data_.size()), sequence = 0;
    while (at < wanted) {
      const u32 part = std::min(wanted - at, kBurst);
      Head r2t = answer(0x31, 0x80, false);
      std::copy_n(&command[8], 8, &r2t[8]);
      store_be<u32>(&r2t[20], 0x1234);
      store_be<u32>(&r2t[36], sequence++);
      store_be<u32>(&r2t[40], at);
      store_be<u32>(&r2t[44], part);
      if (!send_pdu(r2t, {})) return false;
      for (const u32 end = at + part; at < end;) {
        Head h;
        std::vector<u8> piece;
        if (!receive(h, piece)) return false;
        if ((h[0] & 0x3f) != 0x05) continue;  // nothing else is worth a test's while here
        const u32 offset = load_be<u32>(&h[40]);
        if (offset > out.size() || piece.size() > out.size() - offset) return false;
        std::copy(piece.begin(), piece.end(), out.begin() + offset);
        at += static_cast<u32>(piece.size());
      }
    }
    return true;
  }
  bool command() {
    const Head command = head_;
    const u32 expected = load_be<u32>(&command[20]);
    const bool reads = command[1] & 0x40, writes = command[1] & 0x20;
    std::vector<u8> out(writes ? std::max<size_t>(expected, data_.size()) : 0);
    if (writes && !fetch(out, expected, command)) return false;
    // More room than the initiator has: what does not fit is cut and reported as overflow.
    std::vector<u8> in(reads ? std::max<size_t>(expected, kBurst) : 0);
    const Result result = perform(command, out, in);
    const u64 moved = std::min<u64>(result.transferred, expected);
    if (reads && result.status == Status::Good && !send_data({in.data(), moved})) return false;
    return respond(result, expected, result.transferred);
  }
  Result perform(const Head& command, std::vector<u8>& out, std::vector<u8>& in) {
    Task task;
    std::copy_n(&command[32], 16, task.cdb.begin());
    task.lun = load_be<u16>(&command[8]) & 0x3fff;
    task.initiator = initiator_;
    if (!out.empty()) task.data_out = {{out.data(), out.size()}};
    if (!in.empty()) task.data_in = {{in.data(), in.size()}};
    std::mutex mutex;
    std::condition_variable ready;
    bool finished = false;
    Result result;
    task.done = [&](const Result& r) {
      std::lock_guard lock(mutex);
      result = r, finished = true;
      ready.notify_one();
    };
    front_.target_.submit(std::move(task));
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return finished; });
    return result;
  }
  bool send_data(std::span<const u8> data) {
    u32 sequence = 0;
    for (size_t at = 0; at < data.size();) {
      const size_t n = std::min<size_t>(kSegment, data.size() - at);
      Head h = answer(0x25, at + n == data.size() ? 0x80 : 0, false);
      store_be<u32>(&h[20], 0xffff'ffff);
      store_be<u32>(&h[36], sequence++);
      store_be<u32>(&h[40], static_cast<u32>(at));
      if (!send_pdu(h, data.subspan(at, n))) return false;
      at += n;
    }
    return true;
  }
  // Our targets refuse what overruns the initiator's buffers; on iSCSI that is CHECK CONDITION and a residual.
  bool respond(const Result& result, u32 expected, u64 moved) {
    Head h = answer(0x21, 0x80);
    std::vector<u8> sense;
    h[3] = static_cast<u8>(result.status);
    if (result.overrun) {
      h[3] = static_cast<u8>(Status::CheckCondition);
      h[1] |= 0x04;
    }
    if (h[3] == static_cast<u8>(Status::CheckCondition)) {
      const auto bytes = result.overrun ? sense::kInvalidFieldInCdb.encode_fixed() : result.sense_bytes();
      sense.resize(2 + bytes.size());
      store_be<u16>(sense.data(), static_cast<u16>(bytes.size()));
      std::copy_n(bytes.data(), bytes.size(), &sense[2]);
    } else if (moved != expected) {
      h[1] |= moved < expected ? 0x02 : 0x04;
      store_be<u32>(&h[44], static_cast<u32>(moved < expected ? expected - moved : moved - expected));
    }
    return send_pdu(h, sense);
  }

  IscsiFront& front_;
  const int fd_;
  Head head_{};
  std::vector<u8> data_;
  u32 stat_sn_ = 1, expected_ = 1;
  u8 initiator_ = 0;
};

IscsiFront::IscsiFront(LogicalUnit& target) : target_(target) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&at), length) != 0 || listen(listener_, 8) != 0) return;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

IscsiFront::~IscsiFront() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (const int fd : sockets_) shutdown(fd, SHUT_RDWR);
  }
  for (auto& t : threads_) t.join();
  for (const int fd : sockets_) close(fd);
  close(listener_);
}

std::string IscsiFront::url() const {
  return "iscsi://127.0.0.1:" + std::to_string(port_) + "/" + kTargetName + "/0";
}

void IscsiFront::accept_loop() {
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::lock_guard lock(mutex_);
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd] {
      Connection(*this, fd).run();
      shutdown(fd, SHUT_RDWR);
    });
  }
}

u8 IscsiFront::initiator_of(const std::string& name) {
  std::lock_guard lock(mutex_);
  return initiators_.emplace(name, static_cast<u8>(initiators_.size())).first->second;
}

}  // namespace ia64::testing
