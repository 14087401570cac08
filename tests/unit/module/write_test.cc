// Writing: the same parts give the same bytes, in canonical order, to files, pipes and memory.
#include "formats/module/write.h"

#include <doctest/doctest.h>

#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "formats/module/digests.h"
#include "tests/support/module_samples.h"
#include "tests/support/temp_dir.h"

using namespace modnet;

namespace {
ModuleWriter small(Compression compression = {}) {
  ModuleWriter writer(compression);
  writer.set_identity({"m", Kind::kAdapter, "1.0.0", "", {}});
  return writer;
}
}  // namespace

TEST_CASE("the order in which parts are added does not change a byte") {
  const std::string one(12, 'a'), two(100, 'b');
  std::string files[2];
  for (const int order : {0, 1}) {
    ModuleWriter writer = small();
    Contract contract = test::full_contract();
    Graph graph = test::full_graph();
    if (order == 1) {
      std::swap(contract.ports[0], contract.ports[1]);
      std::swap(contract.requirements.ops[0], contract.requirements.ops[2]);
      std::swap(graph.taps[0], graph.taps[1]);
      std::swap(graph.nodes[1].attributes[0], graph.nodes[1].attributes[3]);
    }
    for (const int i : {order, 1 - order}) {
      if (i == 0) {
        REQUIRE(writer.add_tensor("one", DType::kF32, {3}, as_bytes(one)).ok());
        REQUIRE(writer.add_asset("x", "text/plain", as_bytes(two)).ok());
        writer.set_trailer(TrailerKind::kCard, "card");
      } else {
        REQUIRE(writer.add_tensor("two", DType::kU8, {100}, as_bytes(two)).ok());
        REQUIRE(writer.add_asset("a", "text/plain", as_bytes(one)).ok());
        writer.set_trailer(TrailerKind::kEvidence, "evidence");
      }
    }
    writer.set_contract(contract);
    writer.set_graph(graph);
    const Result<std::string> bytes = writer.to_memory();
    REQUIRE(bytes.ok());
    files[order] = *bytes;
  }
  CHECK(files[0] == files[1]);
}

TEST_CASE("parts begin at multiples of 64, with zeros between") {
  const std::string file = test::composite_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  for (const TensorRecord& r : view->index().tensors) CHECK(r.offset % 64 == 0);
  for (const ComponentRecord& r : view->index().components) CHECK(r.offset % 64 == 0);
  for (const TrailerEntry& e : view->trailers()) CHECK(e.offset % 64 == 0);
  CHECK(view->index().tensors[0].offset == 128);
  for (size_t i = 136; i < 192; ++i) CHECK(file[i] == '\0');
}

TEST_CASE("slots that hold equal components share one range") {
  const std::string file = test::composite_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const ComponentRecord* again = view->find_component("again");
  const ComponentRecord* section = view->find_component("section");
  REQUIRE(again != nullptr);
  REQUIRE(section != nullptr);
  CHECK(again->offset == section->offset);
  CHECK(file.substr(section->offset, section->length) == test::head_bytes());
}

TEST_CASE("a file, a pipe and memory get the same bytes, and a component's range is copied unchanged") {
  const test::TempDir dir;
  const std::string backbone = test::backbone_bytes();
  const Result<MappedFile> source = MappedFile::open(dir.write("outer", "12345678" + backbone + "tail"));
  REQUIRE(source.ok());
  const auto make = [&] {
    ModuleWriter writer = small();
    REQUIRE(writer.add_component("backbone", *source, 8, static_cast<int64_t>(backbone.size())).ok());
    writer.set_trailer(TrailerKind::kCard, "card");
    return writer;
  };
  const std::string memory = *make().to_memory();
  Result<std::unique_ptr<Output>> output = Output::open(dir / "m.mnet", Overwrite::kNo);
  REQUIRE(output.ok());
  ModuleWriter to_file = make();
  const Result<ModuleDigests> digests = to_file.write(**output);
  REQUIRE(digests.ok());
  REQUIRE((*output)->commit({&*source}).ok());
  CHECK(dir.read("m.mnet") == memory);
  CHECK(memory.find(backbone) != std::string::npos);
  const Result<ModuleView> view = ModuleView::open(as_bytes(memory));
  REQUIRE(view.ok());
  CHECK(view->digests().content == digests->content);
  CHECK(view->digests().file == digests->file);

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::string piped;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) piped.append(buffer, static_cast<size_t>(n));
  });
  {
    Result<std::unique_ptr<Output>> pipe = Output::open("/dev/fd/" + std::to_string(ends[1]), Overwrite::kYes);
    REQUIRE(pipe.ok());
    ModuleWriter to_pipe = make();
    CHECK(to_pipe.write(**pipe).ok());
    CHECK((*pipe)->commit().ok());
  }
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  CHECK(piped == memory);
}

TEST_CASE("the body is known before the contract, so fingerprints can be in it") {
  const std::string file = test::backbone_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const Port& port = view->index().contract.ports[1];
  CHECK(port.space->fingerprint == port_fingerprint(view->digests().body, view->index().contract, port));
}

TEST_CASE("what a reader would refuse is not written") {
  const auto refused = [](ModuleWriter& writer) {
    const Result<std::string> bytes = writer.to_memory();
    REQUIRE(!bytes.ok());
    CHECK(bytes.error().code == Code::kInvalid);
  };
  ModuleWriter unnamed;
  refused(unnamed);
  ModuleWriter long_name = small();
  long_name.set_identity({std::string(513, 'n'), Kind::kHead, "1.0.0", "", {}});
  refused(long_name);
  ModuleWriter twice = small();
  Contract contract = test::full_contract();
  contract.ports[1].number = contract.ports[0].number;
  twice.set_contract(contract);
  refused(twice);
  ModuleWriter unknown = small();
  unknown.set_features({"new"}, {});
  CHECK(unknown.to_memory().error().code == Code::kUnavailable);
}

TEST_CASE("wrong sizes, repeated names and broken components are refused when added") {
  ModuleWriter writer = small();
  const std::string data(12, 'a');
  CHECK(!writer.add_tensor("w", DType::kF32, {4}, as_bytes(data)).ok());
  CHECK(!writer.add_tensor("w", DType::kF32, {uint64_t{1} << 62, 4}, as_bytes(data)).ok());
  CHECK(!writer.add_tensor("w", DType::kUtf8, {3}, as_bytes(data)).ok());
  CHECK(writer.add_tensor("w", DType::kF32, {3}, as_bytes(data)).ok());
  CHECK(!writer.add_tensor("w", DType::kF32, {3}, as_bytes(data)).ok());
  CHECK(writer.add_asset("w", "text/plain", as_bytes(data)).ok());
  CHECK(!writer.add_asset("w", "text/plain", as_bytes(data)).ok());
  CHECK(!writer.add_component("c", as_bytes(data)).ok());
  const std::string encoder = test::encoder_bytes();
  CHECK(writer.add_component("c", as_bytes(encoder)).ok());
  CHECK(!writer.add_component("c", as_bytes(encoder)).ok());
  CHECK(writer.to_memory().ok());
}

TEST_CASE("a producer that gives other bytes the second time is found") {
  ModuleWriter writer = small();
  int calls = 0;
  const Producer shifty = [&](std::string* scratch) -> Result<Bytes> {
    *scratch = std::string(8, static_cast<char>('a' + calls++));
    return as_bytes(*scratch);
  };
  REQUIRE(writer.add_tensor("w", DType::kU8, {8}, shifty).ok());
  const Result<std::string> bytes = writer.to_memory();
  REQUIRE(!bytes.ok());
  CHECK(bytes.error().code == Code::kUnreadable);
  CHECK(bytes.error().what.find("'w'") != std::string::npos);
}

TEST_CASE("the --compress argument is none, zstd or zstd with a level") {
  CHECK(compression_from_text("none")->codec == Codec::kRaw);
  CHECK(compression_from_text("zstd")->codec == Codec::kZstd);
  CHECK(compression_from_text("zstd:19")->level == 19);
  for (const char* text : {"", "gzip", "zstd:", "zstd:0", "zstd:20", "zstd:3x", "zstd: 3", "ZSTD"})
    CHECK(compression_from_text(text).error().code == Code::kUsage);
}
