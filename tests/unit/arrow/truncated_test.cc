// A mapped file that is cut off while it is read. A program of its own: the damage is remembered for the whole process.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/unit/arrow/support.h"

using namespace modnet;

TEST_CASE("a file cut off while it is read is an error, not a crash") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("modnet-truncated-" + std::to_string(::getpid()) + ".arrow")).string();
  const std::string data = test::make_stream(20000, 20000, ArrowForm::kFile);
  std::ofstream(path, std::ios::binary) << data;
  Result<std::unique_ptr<ArrowReader>> reader = ArrowReader::open_path(path);
  REQUIRE(reader.ok());
  Result<std::optional<ArrowBatch>> first = (*reader)->next();
  REQUIRE(first.ok());
  REQUIRE(first->has_value());
  std::filesystem::resize_file(path, data.size() / 2);
  int64_t rows = (*first)->rows;
  std::optional<Error> error;
  while (!error.has_value()) {
    Result<std::optional<ArrowBatch>> batch = (*reader)->next();
    if (!batch.ok()) {
      error = batch.error();
    } else if (batch->has_value()) {
      rows += (*batch)->rows;
    } else {
      break;
    }
  }
  REQUIRE(error.has_value());
  CHECK(error->code == Code::kMalformed);
  CHECK(rows < 20000);
  CHECK((*reader)->seal() != Seal::kSealed);
  CHECK(MappedFile::damaged());
  std::filesystem::remove(path);
}
