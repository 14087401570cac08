// Reads and writes Arrow data for tests/parity/arrow_parity.py.
// usage: parity_arrow_tool copy IN|- OUT|- stream|file ZSTD_LEVEL ROWS_PER_BATCH   copies; prints what was read to
// stderr
//        parity_arrow_tool make OUT stream|file ZSTD_LEVEL                          writes known rows of many types
// Exit: 0 ok, 3 malformed, 4 digest, 5 unavailable, 2 usage.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "formats/arrow/builder.h"
#include "formats/arrow/reader.h"
#include "formats/arrow/writer.h"
#include "formats/base/text.h"

using namespace modnet;

namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "%s:%s: %s: %s; %s\n", error.file.c_str(), error.where.c_str(), error.id.c_str(),
               error.what.c_str(), error.fix.c_str());
  switch (error.code) {
    case Code::kUsage: return 2;
    case Code::kDigest: return 4;
    case Code::kUnavailable: return 5;
    case Code::kInternal: return 70;
    default: return 3;
  }
}

ArrowForm form_of(const std::string& word) { return word == "file" ? ArrowForm::kFile : ArrowForm::kStream; }

Status copy(const std::vector<std::string>& args) {
  MODNET_ASSIGN(const std::unique_ptr<ArrowReader> reader, ArrowReader::open_path(args[0]));
  MODNET_ASSIGN(const std::unique_ptr<Output> output, Output::open(args[1], Overwrite::kYes));
  const ArrowWriteOptions options{.zstd_level = std::atoi(args[3].c_str()),
                                  .rows_per_batch = std::atoll(args[4].c_str())};
  MODNET_ASSIGN(const std::unique_ptr<ArrowWriter> writer,
                ArrowWriter::open(*output, reader->schema(), form_of(args[2]), options));
  while (true) {
    MODNET_ASSIGN(const std::optional<ArrowBatch> batch, reader->next());
    if (!batch.has_value()) break;
    MODNET_TRY(writer->write(*batch));
    if (!reader->ready()) MODNET_TRY(output->flush());
  }
  MODNET_TRY(writer->finish());
  MODNET_TRY(output->commit());
  for (const ArrowField& field : reader->schema().fields)
    std::fprintf(stderr, "field %s %s\n", escape_text(field.name).c_str(), field.type_name().c_str());
  std::fprintf(stderr, "rows %lld\nseal %s\ndigest %s\n", static_cast<long long>(reader->rows()),
               std::string(seal_name(reader->seal())).c_str(), writer->digest().c_str());
  return ok();
}

Status make(const std::vector<std::string>& args) {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("id"), ArrowField::list("tokens", DType::kI32),
                   ArrowField::fixed_list("embedding", DType::kF32, 4), ArrowField::tensor("image", DType::kU8, {2, 3}),
                   ArrowField::tensor("pixels", DType::kF32, {1, 2, 2}), ArrowField::scalar("label", DType::kF64),
                   ArrowField::scalar("count", DType::kI64), ArrowField::scalar("flag", DType::kBool),
                   ArrowField::scalar("half", DType::kF16)};
  schema.fields[1].metadata = {{"unit", "token id"}};
  schema.metadata = {{"modnet.contract", "{\"port\":\"größe\"}"}, {"modnet.policy", "portable"}};
  MODNET_ASSIGN(const std::unique_ptr<Output> output, Output::open(args[0], Overwrite::kYes));
  MODNET_ASSIGN(const std::unique_ptr<ArrowWriter> writer,
                ArrowWriter::open(*output, schema, form_of(args[1]), {.zstd_level = std::atoi(args[2].c_str())}));
  ArrowBatchBuilder rows(schema);
  for (int64_t row = 0; row < 2500; ++row) {
    const float number = static_cast<float>(row);
    std::vector<int32_t> tokens;
    for (int64_t i = 0; i < row % 5; ++i) tokens.push_back(static_cast<int32_t>(row + i));
    const float embedding[4] = {number, number / 2, -number, 1};
    const uint8_t image[6] = {0, 1, 2, 3, 4, static_cast<uint8_t>(row)};
    rows.column(0).add_text("id " + std::to_string(row));
    rows.column(1).add_items(std::span<const int32_t>(tokens));
    rows.column(2).add_items(std::span<const float>(embedding));
    rows.column(3).add_items(std::span<const uint8_t>(image));
    rows.column(4).add_items(std::span<const float>(embedding));
    if (row % 7 == 6) rows.column(5).add_null();
    else rows.column(5).add(static_cast<double>(row) / 4);
    rows.column(6).add<int64_t>(row << 33);
    rows.column(7).add<uint8_t>(row % 3 == 0 ? 1 : 0);
    rows.column(8).add<uint16_t>(f32_to_f16(number));
    if (row % 600 == 599) {
      MODNET_TRY(writer->write(rows.batch()));
      rows.clear();
    }
  }
  MODNET_TRY(writer->write(rows.batch()));
  MODNET_TRY(writer->finish());
  std::fprintf(stderr, "digest %s\n", writer->digest().c_str());
  return output->commit();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 2), argv + argc);
  const std::string command = argc > 1 ? argv[1] : "";
  Status status = usage("expected copy with 5 or make with 3 arguments");
  if (command == "copy" && args.size() == 5) status = copy(args);
  if (command == "make" && args.size() == 3) status = make(args);
  return status.ok() ? 0 : fail(status.error());
}
