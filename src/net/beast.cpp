// The one translation unit that holds Beast's implementation (BOOST_BEAST_SEPARATE_COMPILATION). TLS is OpenSSL's own, see
// tls_wire.h.
#include <boost/beast/src.hpp>
