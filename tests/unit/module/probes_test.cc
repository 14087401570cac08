// The probes trailer: what is written comes back, and arrays must be as long as they say.
#include "formats/module/probes.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

using namespace modnet;

TEST_CASE("probes survive their trailer") {
  const Probes probes = test::sample_probes();
  const Result<std::string> bytes = encode_probes(probes);
  REQUIRE(bytes.ok());
  const Result<Probes> back = decode_probes(as_bytes(*bytes));
  REQUIRE(back.ok());
  CHECK(*back == probes);
  const Result<Probes> none = decode_probes(as_bytes(*encode_probes(Probes{})));
  REQUIRE(none.ok());
  CHECK(*none == Probes{});
}

TEST_CASE("arrays whose bytes are not rows of their shape are not written") {
  const auto refused = [](const std::function<void(Probes&)>& change) {
    Probes probes = test::sample_probes();
    change(probes);
    const Result<std::string> bytes = encode_probes(probes);
    REQUIRE(!bytes.ok());
    CHECK(bytes.error().code == Code::kInvalid);
  };
  refused([](Probes& p) { p.outputs[0].data.pop_back(); });
  refused([](Probes& p) { p.outputs[0].item_shape = {5}; });
  refused([](Probes& p) { p.outputs[0].item_shape = {uint64_t{1} << 40, uint64_t{1} << 40}; });
  refused([](Probes& p) { p.outputs[0].item_shape.assign(9, 1); });
  refused([](Probes& p) { p.inputs[0].offsets = {0, 5}; });
  refused([](Probes& p) { p.inputs[0].offsets = {1, 3, 5}; });
  refused([](Probes& p) { p.inputs[0].offsets = {0, 6, 5}; });
  refused([](Probes& p) { p.inputs[0].dtype = DType::kUtf8; });
  refused([](Probes& p) { p.inputs[0].port = "\xff"; });
  refused([](Probes& p) { p.count = 3; });
  refused([](Probes& p) { p.source = "\xff"; });
}

TEST_CASE("broken trailers are refused without a crash") {
  const std::string bytes = *encode_probes(test::sample_probes());
  for (size_t n = 0; n < bytes.size() / 2; ++n) CHECK(!decode_probes(as_bytes(bytes.substr(0, n))).ok());
  int refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit)
      if (!decode_probes(as_bytes(test::with_flip(bytes, i, bit))).ok()) ++refused;
  CHECK(refused > 0);
}
