// The four rows of a request that had one attempt, into the bytes of the journal, and out of them as the store gets them.
#include "ledger/codec.h"

#include "allocations.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

std::vector<Write> rows_of_a_request() {
  const std::string id = "01KZ0000000000000000000001";
  return {test::request_open(id), test::attempt_open(id), test::attempt_settle(id), test::request_settle(id)};
}

void rows_of_a_request_encoded(benchmark::State& state) {
  const std::vector<Write> rows = rows_of_a_request();
  RowEncoder encoder;
  encoder.begin_segment();
  std::string bytes;
  const CountAllocations count(state);
  for (auto _ : state) {
    bytes.clear();
    encoder.begin_frame();
    for (const Write& row : rows)
      if (!encoder.add(row, bytes)) state.SkipWithError("a row cannot be encoded");
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(rows_of_a_request_encoded);

void rows_of_a_request_read(benchmark::State& state) {
  std::string bytes;
  RowEncoder encoder;
  encoder.begin_segment();
  for (const Write& row : rows_of_a_request())
    if (!encoder.add(row, bytes)) state.SkipWithError("a row cannot be encoded");
  RecordBuilder builder;
  const CountAllocations count(state);
  for (auto _ : state) {
    Texts texts;
    RowScanner scanner(bytes, texts);
    builder.begin();
    for (EncodedRow row; scanner.next(row);)
      if (!builder.apply(row, texts)) state.SkipWithError("a row has no place");
    benchmark::DoNotOptimize(builder.finish());
  }
}
BENCHMARK(rows_of_a_request_read);

}  // namespace
}  // namespace fairlead
