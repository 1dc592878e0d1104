# Headers of libraries that most files read, compiled once instead of for each of them: a fifth less time for a build without optimisation.
# Only in builds for tests, by GCC: clang-tidy shows an include that is missing, and with optimisation GCC 12 warns wrongly of what it no
# longer knows to be the system's.
set(precompiled OFF)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT CMAKE_BUILD_TYPE)
  set(precompiled ON)
endif()
set(precompiled_std <algorithm> <array> <atomic> <chrono> <condition_variable> <functional> <iostream> <map> <memory> <mutex> <optional> <set>
  <span> <sstream> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
set(precompiled_asio <boost/asio/basic_waitable_timer.hpp> <boost/asio/co_spawn.hpp> <boost/asio/connect.hpp> <boost/asio/detached.hpp>
  <boost/asio/executor_work_guard.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/redirect_error.hpp>
  <boost/asio/use_awaitable.hpp> <boost/asio/write.hpp>)

# fairlead_precompiled(NAME HEADER... [LINK LIBRARY...]): a set of them, for fairlead_precompile(TARGET NAME).
function(fairlead_precompiled name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  if(precompiled)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${name}.cpp CONTENT "")
    add_library(precompiled_${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${name}.cpp)
    target_link_libraries(precompiled_${name} PRIVATE fairlead_headers ${ARG_LINK})
    target_precompile_headers(precompiled_${name} PRIVATE ${precompiled_std} ${ARG_UNPARSED_ARGUMENTS})
  endif()
endfunction()

function(fairlead_precompile target name)
  if(precompiled)
    target_precompile_headers(${target} REUSE_FROM precompiled_${name})
  endif()
endfunction()
