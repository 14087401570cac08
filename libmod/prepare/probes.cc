#include "libmod/prepare/probes.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "libmod/compute/pool.h"
#include "libmod/compute/random.h"
#include "libmod/prepare/place.h"

namespace modnet {
namespace {

template <typename T>
void append(std::string& out, const T* values, size_t n) {
  out.append(reinterpret_cast<const char*>(values), n * sizeof(T));
}

constexpr uint32_t kPictureStream = 0x70726f62;  // "prob"

}  // namespace

Result<Probes> text_probes(Runner& encoder, std::string_view tokens_port) {
  const std::span<const std::string_view> texts = builtin_probe_texts();
  std::vector<OutputColumn> outputs;
  PortColumn column;
  column.port = encoder.inputs().at(0).name;
  column.texts = texts;
  MODNET_ASSIGN(const RunCounts counts, encoder.run({&column, 1}, static_cast<int64_t>(texts.size()), &outputs));
  Probes probes;
  probes.source = "builtin-text-1";
  ProbeArray array;
  array.port = tokens_port;
  array.dtype = DType::kI32;
  array.offsets = {0};
  const OutputColumn& tokens = outputs.at(0);
  // Every text gets an equal share of the bytes; longer ones are cut, as the encoder itself cuts.
  const int64_t share = kProbeInputBytes / static_cast<int64_t>(sizeof(int32_t)) / counts.items;
  for (int64_t i = 0; i < counts.items; ++i) {
    const int64_t begin = tokens.offsets[static_cast<size_t>(i)], length = std::min(share, tokens.offsets[static_cast<size_t>(i) + 1] - begin);
    append(array.data, tokens.ids.data() + begin, static_cast<size_t>(length));
    array.offsets.push_back(array.offsets.back() + static_cast<uint64_t>(length));
  }
  probes.count = static_cast<uint64_t>(counts.items);
  probes.inputs.push_back(std::move(array));
  return probes;
}

Result<Probes> drawn_probes(const std::vector<Port>& inputs, uint64_t seed) {
  Probes probes;
  probes.source = "builtin-drawn-1";
  probes.count = static_cast<uint64_t>(kProbeItems);
  for (size_t p = 0; p < inputs.size(); ++p) {
    const Port& port = inputs[p];
    if (port.optional) continue;
    if (port.layout == Layout::kRagged) return invalid("port '" + port.name + "' is ragged: its probes need an encoder");
    for (size_t i = 1; i < port.dims.size(); ++i)
      if (!port.dims[i].symbol.empty()) return invalid("port '" + port.name + "' has no fixed size along dimension " + std::to_string(i) + "; probes cannot be drawn");
    if (port.dtype != DType::kU8 && port.dtype != DType::kF32)
      return invalid("port '" + port.name + "' is " + std::string(dtype_name(port.dtype)) + "; probes are drawn for u8 and f32");
    // Every stored item is a small picture: each dimension at most `side`, so that all items fit.
    const int64_t room = kProbeInputBytes / kProbeItems / static_cast<int64_t>(inputs.size());
    const auto rank = static_cast<int64_t>(port.dims.size()) - 1;
    int64_t side = 1;
    const auto volume = [&](int64_t n) {
      int64_t v = 1;
      for (int64_t i = 0; i < rank; ++i) v = std::min(v * n, int64_t{1} << 40);
      return v;
    };
    while (volume(side + 1) <= room && rank > 0) ++side;
    ProbeArray array;
    array.port = port.name;
    array.dtype = DType::kU8;
    int64_t width = 1;
    for (int64_t i = 1; i <= rank; ++i) {
      const int64_t size = std::min(side, static_cast<int64_t>(port.dims[static_cast<size_t>(i)].size));
      array.item_shape.push_back(static_cast<uint64_t>(size));
      width *= size;
    }
    const Random random(seed, kPictureStream + static_cast<uint32_t>(p));
    for (int64_t i = 0; i < kProbeItems * width; ++i) array.data += static_cast<char>(random.below(256, static_cast<uint64_t>(i)));
    probes.inputs.push_back(std::move(array));
  }
  return probes;
}

Result<std::string> expand_probe(const ProbeArray& array, const Port& port, int64_t count) {
  const uint64_t rows = array.offsets.empty() ? static_cast<uint64_t>(count) : array.offsets.back();
  if ((port.layout == Layout::kRagged) != !array.offsets.empty()) return malformed("the stored probes do not fit the port '" + port.name + "'");
  if (array.dtype == port.dtype) {
    uint64_t stored = 1, wanted = 1, bytes = static_cast<uint64_t>(dtype_size(array.dtype));
    bool fits = array.offsets.empty() || array.offsets.size() == static_cast<size_t>(count) + 1;
    for (const uint64_t size : array.item_shape) fits = fits && !__builtin_mul_overflow(stored, size, &stored);
    for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i)
      fits = fits && !__builtin_mul_overflow(wanted, port.dims[i].size, &wanted);
    fits = fits && stored == wanted && !__builtin_mul_overflow(bytes, stored, &bytes) && !__builtin_mul_overflow(bytes, rows, &bytes);
    if (fits && bytes == array.data.size()) return array.data;
  }
  if (port.layout == Layout::kRagged || array.dtype != DType::kU8 || array.item_shape.size() + 1 != port.dims.size() || (port.dtype != DType::kU8 && port.dtype != DType::kF32))
    return malformed("the stored probes do not fit the port '" + port.name + "'");
  std::vector<int64_t> sizes, small;
  int64_t width = 1, stored = 1;
  constexpr int64_t kMost = int64_t{1} << 40;
  bool fits = true;
  for (size_t i = 1; i < port.dims.size(); ++i) {
    sizes.push_back(static_cast<int64_t>(port.dims[i].size));
    small.push_back(static_cast<int64_t>(array.item_shape[i - 1]));
    fits = fits && sizes.back() > 0 && small.back() > 0 && !__builtin_mul_overflow(width, sizes.back(), &width) && width <= kMost &&
           !__builtin_mul_overflow(stored, small.back(), &stored) && stored <= kMost;
  }
  if (!fits || count < 0 || count > kMost / stored || stored * count != static_cast<int64_t>(array.data.size()))
    return malformed("the stored probes do not fit the port '" + port.name + "'");
  const double low = port.values && port.values->low ? *port.values->low : -1.0;
  const double high = port.values && port.values->high ? *port.values->high : 1.0;
  std::string out;
  for (int64_t item = 0; item < count; ++item)
    for (int64_t at = 0; at < width; ++at) {
      int64_t rest = at, from = 0, step = 1;
      for (size_t d = sizes.size(); d-- > 0;) {
        from += rest % sizes[d] * small[d] / sizes[d] * step;
        step *= small[d];
        rest /= sizes[d];
      }
      const auto byte = static_cast<uint8_t>(array.data[static_cast<size_t>(item * stored + from)]);
      if (port.dtype == DType::kU8) {
        out += static_cast<char>(byte);
      } else {
        const float value = static_cast<float>(low + (high - low) * byte / 255.0);
        append(out, &value, 1);
      }
    }
  return out;
}

Result<ProbeColumns> probe_columns(const Probes& probes, const std::vector<Port>& inputs) {
  const Port* only = nullptr;
  int64_t needed = 0;
  for (const Port& port : inputs)
    if (!port.optional) {
      only = &port;
      ++needed;
    }
  ProbeColumns out;
  out.offsets.resize(probes.inputs.size());
  out.data.resize(probes.inputs.size());
  for (size_t i = 0; i < probes.inputs.size(); ++i) {
    const ProbeArray& input = probes.inputs[i];
    const auto named = std::find_if(inputs.begin(), inputs.end(), [&](const Port& one) { return one.name == input.port; });
    const Port* port = named != inputs.end() ? &*named : probes.inputs.size() == 1 && needed == 1 ? only : nullptr;
    if (port == nullptr) return malformed("the probes are for a port '" + input.port + "', which the module does not have");
    out.offsets[i].assign(input.offsets.begin(), input.offsets.end());
    MODNET_ASSIGN(out.data[i], expand_probe(input, *port, static_cast<int64_t>(probes.count)));
    out.columns.push_back({port->name, port->dtype, out.data[i].data(), out.offsets[i], {}});
  }
  return out;
}

std::vector<ProbeArray> probe_outputs(const std::vector<OutputColumn>& outputs, int64_t items) {
  std::vector<ProbeArray> arrays;
  for (const OutputColumn& output : outputs) {
    const auto emit = [&](const std::string& name, const std::vector<float>& values) {
      ProbeArray array;
      array.port = name;
      array.dtype = DType::kF32;
      array.item_shape = {static_cast<uint64_t>(output.width)};
      append(array.data, values.data(), values.size());
      arrays.push_back(std::move(array));
    };
    if (output.offsets.empty()) {
      emit(output.port.name, output.values);
      continue;
    }
    const int64_t rows = output.offsets.back();
    for (const Pooling pooling : {Pooling::kMean, Pooling::kCls}) {
      std::vector<float> pooled(static_cast<size_t>(items * output.width));
      pool_rows(pooling, {output.values.data(), rows, output.width, output.width}, output.offsets, nullptr,
                {pooled.data(), items, output.width, output.width});
      emit(output.port.name + (pooling == Pooling::kMean ? ":mean" : ":first"), pooled);
    }
  }
  return arrays;
}

Status each_slice(const ProbeColumns& inputs, int64_t items, const SliceWork& each) {
  constexpr int64_t kSliceItems = 64;
  const size_t columns = inputs.columns.size();
  int64_t ragged_rows = 0;
  const std::vector<int64_t>* ragged = nullptr;
  for (const std::vector<int64_t>& offsets : inputs.offsets)
    if (!offsets.empty() && offsets.back() >= ragged_rows) {
      ragged = &offsets;
      ragged_rows = offsets.back();
    }
  const auto rows_between = [&](int64_t begin, int64_t end) { return ragged == nullptr ? end - begin : (*ragged)[static_cast<size_t>(end)] - (*ragged)[static_cast<size_t>(begin)]; };
  for (int64_t begin = 0, end = 0; begin < items; begin = end) {
    for (end = begin + 1; end < items && end - begin < kSliceItems && rows_between(begin, end + 1) <= kSliceRows;) ++end;
    std::vector<PortColumn> slice;
    std::vector<std::vector<int64_t>> offsets(columns);
    for (size_t c = 0; c < columns; ++c) {
      const std::vector<int64_t>& all = inputs.offsets[c];
      const int64_t rows = all.empty() ? items : all.back(), first = all.empty() ? begin : all[static_cast<size_t>(begin)];
      const size_t row_bytes = rows == 0 ? 0 : inputs.data[c].size() / static_cast<size_t>(rows);
      for (int64_t i = begin; !all.empty() && i <= end; ++i) offsets[c].push_back(all[static_cast<size_t>(i)] - first);
      slice.push_back({inputs.columns[c].port, inputs.columns[c].dtype, inputs.data[c].data() + static_cast<size_t>(first) * row_bytes, offsets[c], {}});
    }
    if (Status status = each(slice, end - begin, rows_between(begin, end)); !status.ok()) {
      Error error = std::move(status).error();
      std::vector<int64_t> numbers(static_cast<size_t>(end - begin));
      std::iota(numbers.begin(), numbers.end(), begin);
      error.where = place_in_batch(error.where, numbers);
      return error;
    }
  }
  return ok();
}

Result<std::vector<ProbeArray>> run_probes(Runner& backbone, const Probes& probes) {
  MODNET_ASSIGN(const ProbeColumns inputs, probe_columns(probes, backbone.inputs()));
  std::vector<ProbeArray> out;
  const SliceWork run = [&](std::span<const PortColumn> columns, int64_t items, int64_t) -> Status {
    std::vector<OutputColumn> outputs;
    MODNET_TRY(backbone.run(columns, items, &outputs));
    std::vector<ProbeArray> part = probe_outputs(outputs, items);
    if (out.empty()) out = std::move(part);
    else
      for (size_t i = 0; i < out.size(); ++i) out[i].data += part[i].data;
    return ok();
  };
  MODNET_TRY(each_slice(inputs, static_cast<int64_t>(probes.count), run));
  return out;
}

Status fill_probe_outputs(Runner& backbone, Probes& probes) {
  MODNET_ASSIGN(probes.outputs, run_probes(backbone, probes));
  return ok();
}

}  // namespace modnet
