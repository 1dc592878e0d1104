#pragma once
// Tells systemd how the service fares (sd_notify's protocol: one datagram to $NOTIFY_SOCKET). Without that variable, nothing
// happens.
#include <string_view>

namespace fairlead::daemon {

/// E.g. "READY=1", "STOPPING=1", "STATUS=...". Failures are ignored: systemd's own time-out tells.
void notify_service_manager(std::string_view state);

}  // namespace fairlead::daemon
