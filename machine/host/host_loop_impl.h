// What HostLoop keeps from its users: the Asio context. For the files of this folder only.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "machine/host/host_loop.h"

namespace ia64::machine {

struct HostLoop::Impl {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running{context.get_executor()};
  std::unique_ptr<boost::asio::signal_set> signals;
};

/// Makes way for a listener at `path`: removes a socket nobody listens on any more. @param what names the option in errors
/// @returns Invalid for a path that is too long or names another kind of file, which stays; Locked when somebody listens
Result<void> claim_socket_path(const std::string& path, const std::string& what);

}  // namespace ia64::machine
