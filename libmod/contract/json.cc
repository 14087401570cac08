#include "libmod/contract/json.h"

#include <limits>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "libmod/contract/names.h"

namespace modnet {
namespace {

using Json = nlohmann::json;

// One description of each record serves both directions: Writer leaves out defaults, ReaderVisitor demands the right type
// and refuses keys that no field claimed.
class Writer {
 public:
  template <typename T>
  void field(const char* key, const T& value) {
    if (value == T{}) return;
    out_[key] = value;
  }
  template <typename T>
  void field_or(const char* key, const T& value, const T& fallback) {
    if (!(value == fallback)) out_[key] = value;
  }
  void digest(const char* key, const Digest& value) {
    if (!is_zero(value)) out_[key] = hex(value);
  }
  template <typename E>
  void named(const char* key, const E& value, E fallback = E::kInvalid) {
    if (value != fallback) out_[key] = std::string(name_of(value));
  }
  void dtype(const char* key, const DType& value) { out_[key] = std::string(dtype_name(value)); }
  void optional_real(const char* key, const std::optional<double>& value) {
    if (value) out_[key] = *value;
  }
  template <typename R, typename F>
  void record(const char* key, const std::optional<R>& value, F describe) {
    if (!value) return;
    Writer inner;
    describe(inner, *value);
    out_[key] = inner.take();
  }
  template <typename R, typename F>
  void list(const char* key, const std::vector<R>& values, F describe) {
    if (values.empty()) return;
    Json items = Json::array();
    for (const R& value : values) {
      Writer inner;
      describe(inner, value);
      items.push_back(inner.take());
    }
    out_[key] = std::move(items);
  }
  Json take() { return out_.is_null() ? Json::object() : std::move(out_); }

 private:
  Json out_ = Json::object();
};

class Parser {
 public:
  Parser(const Json& from, std::string path) : from_(from), path_(std::move(path)) {
    if (!from_.is_object()) fail("", "expected an object");
  }

  template <typename T>
  void field(const char* key, T& value) {
    field_or(key, value, T{});
  }
  template <typename T>
  void field_or(const char* key, T& value, const T& fallback) {
    value = fallback;
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!right_type<T>(*item)) return fail(key, "has the wrong type");
    value = item->get<T>();
  }
  void digest(const char* key, Digest& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    const auto parsed = item->is_string() ? digest_from_hex(item->get<std::string>()) : std::nullopt;
    if (!parsed) return fail(key, "is not a digest of 64 hex digits");
    value = *parsed;
  }
  template <typename E>
  void named(const char* key, E& value, E fallback = E::kInvalid) {
    value = fallback;
    const Json* item = find(key);
    if (item == nullptr) return;
    const auto parsed = item->is_string() ? from_name<E>(item->get<std::string>()) : std::nullopt;
    if (!parsed) return fail(key, "has a value that is not known");
    value = *parsed;
  }
  void dtype(const char* key, DType& value) {
    const Json* item = find(key);
    const auto parsed = item != nullptr && item->is_string() ? dtype_from_name(item->get<std::string>()) : std::nullopt;
    if (!parsed) return fail(key, "is not a dtype");
    value = *parsed;
  }
  void optional_real(const char* key, std::optional<double>& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!item->is_number()) return fail(key, "has the wrong type");
    value = item->get<double>();
  }
  template <typename R, typename F>
  void record(const char* key, std::optional<R>& value, F describe) {
    const Json* item = find(key);
    if (item == nullptr) return;
    value.emplace();
    descend(*item, path_ + "." + key, *value, describe);
  }
  template <typename R, typename F>
  void list(const char* key, std::vector<R>& values, F describe) {
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!item->is_array()) return fail(key, "expected a list");
    for (size_t i = 0; i < item->size() && !error_; ++i)
      descend((*item)[i], path_ + "." + key + "[" + std::to_string(i) + "]", values.emplace_back(), describe);
  }
  Status finish() {
    if (error_) return *error_;
    for (const auto& [key, value] : from_.items())
      if (!seen_.contains(key)) return malformed("unknown key '" + key + "' in a contract", path_);
    return ok();
  }

 private:
  template <typename T>
  static bool right_type(const Json& item) {
    if constexpr (std::is_same_v<T, bool>) return item.is_boolean();
    else if constexpr (std::is_same_v<T, double>) return item.is_number();
    else if constexpr (std::is_same_v<T, std::string>) return item.is_string();
    else if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_unsigned_v<T>)
        return item.is_number_unsigned() && item.get<uint64_t>() <= std::numeric_limits<T>::max();
      else return item.is_number_integer() && (!item.is_number_unsigned() || item.get<uint64_t>() <= std::numeric_limits<int64_t>::max());
    } else {
      if (!item.is_array()) return false;
      for (const Json& one : item)
        if (!right_type<typename T::value_type>(one)) return false;
      return true;
    }
  }
  template <typename R, typename F>
  void descend(const Json& item, std::string path, R& value, F describe) {
    Parser inner(item, std::move(path));
    if (!inner.error_) describe(inner, value);
    if (auto status = inner.finish(); !status.ok() && !error_) error_ = std::move(status).error();
  }
  const Json* find(const char* key) {
    if (error_) return nullptr;
    seen_[key] = true;
    const auto it = from_.find(key);
    return it == from_.end() ? nullptr : &*it;
  }
  void fail(const char* key, const char* what) {
    if (!error_) error_ = malformed(std::string("contract field ") + what, *key ? path_ + "." + key : path_);
  }

  const Json& from_;
  std::string path_;
  std::map<std::string, bool> seen_;
  std::optional<Error> error_;
};

constexpr auto kDescribeDim = [](auto& io, auto& dim) {
  io.field("symbol", dim.symbol);
  io.field("size", dim.size);
  io.field_or("min", dim.min, uint64_t{1});
  io.field("max", dim.max);
  io.field_or("multiple_of", dim.multiple_of, uint64_t{1});
};
constexpr auto kDescribeSequence = [](auto& io, auto& r) {
  io.field_or("axis", r.axis, uint32_t{1});
  io.field("max_length", r.max_length);
  io.field("pad_id", r.pad_id);
  io.named("pad_side", r.pad_side);
  io.named("mask", r.mask);
  io.field("causal", r.causal);
  io.field("stride", r.stride);
  io.field("sample_rate", r.sample_rate);
  io.field("stream_state", r.stream_state);
};
constexpr auto kDescribeValues = [](auto& io, auto& r) {
  io.optional_real("low", r.low);
  io.optional_real("high", r.high);
  io.field("mean", r.mean);
  io.field("std", r.std);
  io.named("norm", r.norm);
  io.named("nonfinite", r.nonfinite);
  io.field("tolerance", r.tolerance);
};
constexpr auto kDescribeSpecial = [](auto& io, auto& r) {
  io.field("role", r.role);
  io.field("id", r.id);
};
constexpr auto kDescribePreparation = [](auto& io, auto& r) {
  io.field("method", r.method);
  io.digest("digest", r.digest);
  io.list("special_ids", r.special_ids, kDescribeSpecial);
  io.field("unicode_norm", r.unicode_norm);
  io.field("resampling", r.resampling);
  io.field("prefixes", r.prefixes);
};
constexpr auto kDescribeSpace = [](auto& io, auto& r) {
  io.field("id", r.id);
  io.field("version", r.version);
  io.digest("fingerprint", r.fingerprint);
  io.digest("root", r.root);
  io.named("metric", r.metric);
  io.named("pooling", r.pooling);
  io.field("normalized", r.normalized);
  io.field("prefix_dims", r.prefix_dims);
  io.digest("probes", r.probes);
};
constexpr auto kDescribeLabels = [](auto& io, auto& r) {
  io.field("names", r.names);
  io.field("closed", r.closed);
  io.field("thresholds", r.thresholds);
};
constexpr auto kDescribeQuantisation = [](auto& io, auto& r) {
  io.field("scheme", r.scheme);
  io.field("granularity", r.granularity);
};
constexpr auto kDescribePort = [](auto& io, auto& port) {
  io.field("number", port.number);
  io.named("direction", port.direction);
  io.field("name", port.name);
  io.field("value", port.value);
  io.dtype("dtype", port.dtype);
  io.named("layout", port.layout);
  io.list("dims", port.dims, kDescribeDim);
  io.named("semantic", port.semantic);
  io.field("optional", port.optional);
  io.record("sequence", port.sequence, kDescribeSequence);
  io.record("values", port.values, kDescribeValues);
  io.record("preparation", port.preparation, kDescribePreparation);
  io.record("space", port.space, kDescribeSpace);
  io.record("labels", port.labels, kDescribeLabels);
  io.record("quantisation", port.quantisation, kDescribeQuantisation);
};
constexpr auto kDescribeOp = [](auto& io, auto& op) {
  io.field("domain", op.domain);
  io.field("name", op.name);
  io.field_or("version", op.version, uint32_t{1});
};
constexpr auto kDescribeRange = [](auto& io, auto& range) {
  io.field("name", range.name);
  io.field("range", range.range);
};
constexpr auto kDescribeRequirements = [](auto& io, auto& r) {
  io.field_or("min_reader_major", r.min_reader_major, uint16_t{1});
  io.field("min_reader_minor", r.min_reader_minor);
  io.list("ops", r.ops, kDescribeOp);
  io.field("batch_limit", r.batch_limit);
  io.field("memory", r.memory);
  io.named("determinism", r.determinism);
  io.field("licence", r.licence);
  io.digest("base_content", r.base_content);
  io.list("composes", r.composes, kDescribeRange);
};

}  // namespace

std::string contract_to_json(const Contract& contract) {
  Writer io;
  io.list("ports", contract.ports, kDescribePort);
  io.record("requirements", std::optional<Requirements>(contract.requirements), kDescribeRequirements);
  return io.take().dump(-1, ' ', false, Json::error_handler_t::replace);  // a file's texts need not be UTF-8: U+FFFD, no exception
}

Result<Contract> contract_from_json(std::string_view text) {
  const Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return malformed("the contract is not JSON");
  Contract contract;
  Parser io(parsed, "contract");
  io.list("ports", contract.ports, kDescribePort);
  std::optional<Requirements> requirements;
  io.record("requirements", requirements, kDescribeRequirements);
  MODNET_TRY(io.finish());
  if (requirements) contract.requirements = *requirements;
  return contract;
}

}  // namespace modnet
