#include "commands/feature_stream.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands/embedding_cache.h"
#include "formats/arrow/builder.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

ArrowField field_of(const Port& port, int64_t width) {
  if (port.layout == Layout::kRagged) return ArrowField::list(port.name, port.dtype);
  std::vector<int64_t> shape;
  for (size_t i = 1; i < port.dims.size(); ++i) shape.push_back(static_cast<int64_t>(port.dims[i].size));
  if (shape.size() > 1) return ArrowField::tensor(port.name, port.dtype, shape);
  return ArrowField::fixed_list(port.name, port.dtype, width);
}

/// The stream's schema once the widths of the outputs are known.
ArrowSchema schema_of(const std::vector<OutputColumn>& outputs, const ItemSource& source) {
  ArrowSchema schema;
  schema.fields.push_back(ArrowField::text("id"));
  for (const OutputColumn& output : outputs) schema.fields.push_back(field_of(output.port, output.width));
  if (source.has_labels()) schema.fields.push_back(source.labels_are_numbers() ? ArrowField::scalar("label", DType::kF64) : ArrowField::text("label"));
  return schema;
}

Status append(ArrowBatchBuilder& builder, const ItemBatch& batch, const std::vector<OutputColumn>& outputs, const ItemSource& source) {
  for (int64_t i = 0; i < batch.rows; ++i) builder.column(0).add_text(batch.ids.empty() ? std::string_view(batch.id(i)) : batch.ids[static_cast<size_t>(i)]);
  for (size_t o = 0; o < outputs.size(); ++o) {
    const OutputColumn& output = outputs[o];
    ArrowColumnBuilder& column = builder.column(static_cast<int64_t>(o) + 1);
    if (output.port.layout != Layout::kRagged) {
      column.add_rows(std::span<const float>(output.values));
      continue;
    }
    for (int64_t i = 0; i < batch.rows; ++i) {
      const auto begin = static_cast<size_t>(output.offsets[static_cast<size_t>(i)] * output.width), end = static_cast<size_t>(output.offsets[static_cast<size_t>(i) + 1] * output.width);
      if (output.port.dtype == DType::kI32) column.add_items(std::span<const int32_t>(output.ids).subspan(begin, end - begin));
      else column.add_items(std::span<const float>(output.values).subspan(begin, end - begin));
    }
  }
  if (source.has_labels()) {
    ArrowColumnBuilder& column = builder.column(static_cast<int64_t>(outputs.size()) + 1);
    for (int64_t i = 0; i < batch.rows; ++i) {
      if (source.labels_are_numbers()) column.add(batch.label_values[static_cast<size_t>(i)]);
      else column.add_text(batch.labels[static_cast<size_t>(i)]);
    }
  }
  return ok();
}

/// The claims of what the last module gives.
StreamClaims claims_of(const StreamJob& job, const Chain& chain, const ItemSource& source, const StreamClaims& before, const Engine& engine) {
  StreamClaims claims;
  claims.contract.emplace();
  for (const Port& port : chain.outputs()) claims.contract->ports.push_back(port);
  std::sort(claims.contract->ports.begin(), claims.contract->ports.end(), [](const Port& a, const Port& b) { return a.number < b.number; });
  claims.producers = before.producers;
  for (const ModuleFile* module : job.modules) claims.producers.push_back(producer_of(*module));
  claims.policy = before.policy.empty() || before.policy == "portable" ? engine.policy : before.policy;
  claims.probes = job.probes;
  claims.evidence = job.evidence;
  if (source.has_labels()) claims.label = source.label_name();
  return claims;
}

}  // namespace

Result<int> run_stream(Invocation& invocation, const StreamJob& job) {
  Console& console = invocation.console;
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  // The data's own claims are an edge like any other, so it is opened before the chain is made.
  std::vector<Port> needed;
  for (const Port& port : job.modules.front()->view.index().contract.ports)
    if (port.direction == Direction::kInput) needed.push_back(port);
  MODNET_ASSIGN(const std::unique_ptr<ItemSource> source, ItemSource::open(job.data, needed));
  StreamClaims before;
  if (source->arrow() != nullptr) {
    auto read = read_claims(source->arrow()->schema());
    if (!read.ok()) return std::move(read).error().in_file(source->name());
    before = std::move(*read);
  }
  MODNET_ASSIGN(Chain chain, Chain::make(job.modules, job.ports, &before, engine));
  if (invocation.dry_run()) {
    console.print("would write " + invocation.output() + " from " + source->name() + "\n");
    console.emit_json({{"output", invocation.output()}, {"data", source->name()}, {"dry_run", true}});
    return kExitOk;
  }

  MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
  const std::string path = invocation.output();
  const ArrowForm form = output->seekable() ? ArrowForm::kFile : ArrowForm::kStream;
  std::unique_ptr<ArrowWriter> writer;
  std::unique_ptr<ArrowBatchBuilder> builder;
  RunCounts counts;
  const int64_t rows_at_once = read_rows(invocation);
  std::vector<OutputColumn> outputs;
  for (bool first = true;; first = false) {
    if (!source->ready()) MODNET_TRY(output->flush());
    std::optional<ItemBatch> batch;
    {
      const ProfiledSpan span(engine.profile.get(), "reading");
      MODNET_ASSIGN(batch, source->next(rows_at_once));
    }
    if (!batch && !first) break;
    const ItemBatch none;
    const ItemBatch& items = batch ? *batch : none;
    if (batch) {
      auto more = chain.run(items, &outputs);
      if (!more.ok()) return locate(std::move(more).error(), items, source->name());
      counts += *more;
    } else {  // no items at all: the stream still says what its columns are
      outputs.clear();
      for (const Port& port : chain.outputs()) {
        OutputColumn& column = outputs.emplace_back();
        column.port = port;
        if (port.layout != Layout::kRagged)
          for (size_t i = 1; i < port.dims.size(); ++i) column.width *= static_cast<int64_t>(port.dims[i].size);
      }
    }
    if (writer == nullptr) {
      ArrowSchema schema = schema_of(outputs, *source);
      write_claims(claims_of(job, chain, *source, before, engine), schema);
      MODNET_ASSIGN(writer, ArrowWriter::open(*output, schema, form, {}));
      builder = std::make_unique<ArrowBatchBuilder>(writer->schema());
    }
    if (!batch) break;
    const ProfiledSpan span(engine.profile.get(), "writing");
    builder->clear();
    MODNET_TRY(append(*builder, items, outputs, *source));
    MODNET_TRY(writer->write(builder->batch()));
    console.progress(invocation.spec.name, counts.items, 0);
  }
  MODNET_TRY(writer->finish());
  std::vector<const MappedFile*> inputs;
  if (source->mapped() != nullptr) inputs.push_back(source->mapped());
  for (const ModuleFile* module : job.modules) inputs.push_back(&module->file);
  MODNET_TRY(output->commit(inputs));
  console.clear_progress();
  note_seal(*source, console);
  note_checks({&chain, 1}, console);
  note_truncated(counts, console);
  console.detail(std::to_string(counts.items) + " items, " + std::to_string(counts.tokens) + " tokens");
  Json document{{"output", path}, {"items", counts.items}, {"tokens", counts.tokens}, {"truncated", counts.truncated}, {"digest", writer->digest()}, {"policy", engine.policy}};
  finish_cache(invocation, engine, {&chain, 1}, document);
  note_profile(engine, console, document);
  console.emit_json(document);
  return kExitOk;
}

}  // namespace modnet
