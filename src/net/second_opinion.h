#pragma once
// The gate and Beast must understand a head alike. Pure; used by net/connection.
#include "net/framing.h"

namespace fairlead::net {

/// parse_head(), and then Beast's parser of the same bytes: where they differ in anything that frames or routes the request, it is
/// refused with bad_request. Errors: those of parse_head().
Result<Head> prove_head(std::string_view bytes);

}  // namespace fairlead::net
