// Names, versions, and ports against the graph: what every module obeys beyond its bytes.
#include "libmod/module/semantics.h"

#include <doctest/doctest.h>

namespace modnet {
namespace {

ModuleIndex sample() {
  ModuleIndex index;
  index.identity = {"sections", Kind::kHead, "1.2.3", "Apache-2.0", {}};
  index.graph.inputs = {"x", "extra"};
  index.graph.outputs = {"y"};
  Port in;
  in.number = 1;
  in.direction = Direction::kInput;
  in.name = "embedding";
  in.value = "x";
  in.dtype = DType::kF32;
  in.dims = {{"B", 0, 1, 0, 1}, {"", 4, 1, 0, 1}};
  in.semantic = Semantic::kEmbedding;
  Port out = in;
  out.number = 2;
  out.direction = Direction::kOutput;
  out.name = "logits";
  out.value = "y";
  out.dims[1].size = 3;
  out.semantic = Semantic::kLogits;
  out.labels = LabelsRecord{{"a", "b", "c"}, true, {}};
  index.contract.ports = {in, out};
  return index;
}

Error error_of(const ModuleIndex& index) {
  const Status status = check_module(index);
  REQUIRE_FALSE(status.ok());
  return status.error();
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("names are 1 to 128 plain characters that begin with a letter, a digit or an underscore") {
  for (const std::string& name : {std::string("a"), std::string("_x"), std::string("9"), std::string("Mini-LM_v2.1"), std::string(128, 'n')}) {
    CAPTURE(name);
    CHECK(check_name(name, "a module").ok());
  }
  for (const std::string& name : {std::string(), std::string(".hidden"), std::string("-o"), std::string("a/b"), std::string("a b"), std::string("ä"),
                                  std::string("a\n"), std::string("a\0b", 3), std::string(129, 'n')}) {
    CAPTURE(name);
    const Status status = check_name(name, "a port");
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kUsage);
    CHECK(has(status.error().what, "a port"));
    CHECK_FALSE(status.error().fix.empty());
  }
}

TEST_CASE("a head does not take the name of a slot of every composite") {
  CHECK(check_head_name("sections").ok());
  CHECK(check_head_name("encoder2").ok());
  for (const char* name : {"encoder", "backbone", "", "a/b"}) {
    CAPTURE(name);
    CHECK_FALSE(check_head_name(name).ok());
  }
  CHECK(has(check_head_name("backbone").error().what, "'backbone'"));
}

TEST_CASE("a module that keeps the rules passes") {
  CHECK(check_module(sample()).ok());
  ModuleIndex index = sample();
  index.contract.ports[1].dims[1] = {"L", 0, 1, 0, 1};  // an open number of labels
  CHECK(check_module(index).ok());
  index = sample();
  index.contract.ports[1].name = "embedding";  // of the other direction
  CHECK(check_module(index).ok());
}

TEST_CASE("the version is a semantic one") {
  ModuleIndex index = sample();
  index.identity.version = "1.2";
  CHECK(has(error_of(index).what, "'1.2'"));
}

TEST_CASE("a module has a name and a kind") {
  ModuleIndex index = sample();
  index.identity.name = "a b";
  CHECK(has(error_of(index).what, "'a b'"));
  index = sample();
  index.identity.kind = Kind::kInvalid;
  CHECK(has(error_of(index).what, "kind"));
}

TEST_CASE("port numbers, and port names of one direction, are unique") {
  ModuleIndex index = sample();
  index.contract.ports[1].number = 1;
  CHECK(has(error_of(index).what, "number 1"));
  index = sample();
  Port third = index.contract.ports[0];
  third.number = 3;
  index.contract.ports.push_back(third);
  CHECK(error_of(index).where == "port 'embedding'");
}

TEST_CASE("a port's name is a name") {
  ModuleIndex index = sample();
  index.contract.ports[0].name = "../x";
  CHECK(has(error_of(index).what, "'../x'"));
}

TEST_CASE("a port has direction, dtype and meaning") {
  for (const int which : {0, 1, 2}) {
    ModuleIndex index = sample();
    Port& port = index.contract.ports[0];
    if (which == 0) port.direction = Direction::kInvalid;
    if (which == 1) port.dtype = DType::kInvalid;
    if (which == 2) port.semantic = Semantic::kInvalid;
    CAPTURE(which);
    CHECK(error_of(index).code == Code::kMalformed);
  }
}

TEST_CASE("a symbol has the same bounds wherever it stands") {
  ModuleIndex index = sample();
  index.contract.ports[0].dims[0].symbol = index.contract.ports[1].dims[0].symbol = "B";
  CHECK(check_module(index).ok());
  index.contract.ports[1].dims[0].max = 8;
  const Status status = check_module(index);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kMalformed);
  CHECK(status.error().what.find("'B'") != std::string::npos);
}

TEST_CASE("an input port stands for a graph input, an output port for a graph output") {
  ModuleIndex index = sample();
  index.contract.ports[0].value = "y";
  CHECK(has(error_of(index).what, "not an input of the graph"));
  index = sample();
  index.contract.ports[1].value = "x";
  CHECK(has(error_of(index).what, "not an output of the graph"));
}

TEST_CASE("there are as many labels as the last dimension says") {
  ModuleIndex index = sample();
  index.contract.ports[1].labels->names.pop_back();
  const Error error = error_of(index);
  CHECK(error.where == "port 'logits'");
  CHECK(has(error.what, "2 labels"));
}

}  // namespace
}  // namespace modnet
