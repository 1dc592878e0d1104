#pragma once
// The types of asio that the rest of the house may see: a concrete executor (type erasure costs on every operation) and coroutines
// on it.
#include <fairlead/result.h>
#include <fairlead/time.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

namespace fairlead {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace fairlead
