#pragma once
// The relay of one 2xx answer. One worker's thread.
#include "exchange/attempt.h"
#include "exchange/drain.h"

namespace fairlead::exchange {

/// Everything that the app may see goes out as it comes, but for the end, which waits for the books.
class Relay {
 public:
  Relay(Request& request, const Target& target, int number, net::UpstreamAnswer& upstream, Drain& drain, AttemptOutcome& outcome)
      : request_(request), target_(target), number_(number), upstream_(upstream), drain_(drain), outcome_(outcome) {}

  Task<Result<void>> run();

 private:
  void note_content();
  bool may_pass() const;
  void note_passed();

  Request& request_;
  const Target& target_;
  int number_;
  net::UpstreamAnswer& upstream_;
  Drain& drain_;
  AttemptOutcome& outcome_;
  Pieces pieces_;
  bool content_ = false;
};

Error app_hung_up();

}  // namespace fairlead::exchange
