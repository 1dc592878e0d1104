#include "exchange/request.h"

#include <utility>

namespace fairlead::exchange {

void Request::note_content_sent() {
  if (opening.use_count() == 1) opening.reset();  // else the ledger's thread would be the one that frees it
  if (std::exchange(content_sent, true)) return;
  facts.fields = {};
  facts.wishes = nullptr;
  question.reset();
  app.reset();
}

}  // namespace fairlead::exchange
