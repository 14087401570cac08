// A value or an error, for every function that can fail. g++ 12 has no std::expected in C++20.
// Tested by tests/unit/base/result_test.cc.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace modnet {

/// Why something failed. The command line turns it into an exit code (DESIGN: section 3 of modnet.1).
enum class Code : uint8_t {
  kNo = 1,           // ran well, the answer is no (incompatible, gate failed): exit 1
  kUsage = 2,        // the caller asked for something that makes no sense: exit 2
  kUnreadable = 3,   // an input that cannot be opened or read: exit 3
  kMalformed = 4,    // an input whose bytes are not what they claim to be: exit 3
  kInvalid = 5,      // well-formed data that the operation is not defined for (no rows, one class): exit 3
  kDigest = 6,       // a digest, checksum or signature that does not match: exit 4
  kUnavailable = 7,  // a feature, a device, memory or a write that failed: exit 5
  kInternal = 8,     // our own bug: exit 70
};

/// One failure: what happened, in which file, at which place, and what to do about it.
/// Printed as `modnet: FILE[:WHERE]: ID: what; fix` (lower case, no full stop).
struct Error {
  Code code = Code::kInternal;
  std::string id;     // rule id in CAPITALS, may be empty while it travels up
  std::string what;   // what happened; "expected X, got Y" where that applies
  std::string where;  // offset, field, line:column; may be empty
  std::string file;   // set by whoever knows the name; may be empty
  std::string fix;    // what to do; may be empty

  /// The same error with the file's name, unless one was already set.
  [[nodiscard]] Error in_file(std::string_view name) && {
    if (file.empty()) file = name;
    return std::move(*this);
  }
};

[[nodiscard]] inline Error malformed(std::string what, std::string where = {}) {
  return Error{Code::kMalformed, "MALFORMED", std::move(what), std::move(where), {}, {}};
}
[[nodiscard]] inline Error invalid(std::string what, std::string fix = {}) {
  return Error{Code::kInvalid, "INVALID", std::move(what), {}, {}, std::move(fix)};
}
[[nodiscard]] inline Error usage(std::string what, std::string fix = {}) {
  return Error{Code::kUsage, "USAGE", std::move(what), {}, {}, std::move(fix)};
}
[[nodiscard]] inline Error internal(std::string what) {
  return Error{Code::kInternal, "INTERNAL", std::move(what), {}, {}, {}};
}

struct Unit {};

/// Holds a T or an Error. value() on an error is our bug and aborts.
template <typename T = Unit>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & { check(); return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { check(); return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { check(); return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { check(); return std::get_if<0>(&state_); }
  const T* operator->() const { check(); return std::get_if<0>(&state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  [[nodiscard]] const Error& error() const& { return *std::get_if<1>(&state_); }
  [[nodiscard]] Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  void check() const {
    if (!ok()) std::abort();
  }
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;
[[nodiscard]] inline Status ok() { return Unit{}; }

}  // namespace modnet

// MODNET_TRY(expr): returns the error of a Status/Result expression to the caller.
#define MODNET_TRY(expr)                                                \
  do {                                                                  \
    if (auto modnet_try_ = (expr); !modnet_try_.ok()) return std::move(modnet_try_).error(); \
  } while (false)
// MODNET_ASSIGN(decl, expr): declares `decl` from the value, or returns the error.
#define MODNET_CONCAT_(a, b) a##b
#define MODNET_CONCAT(a, b) MODNET_CONCAT_(a, b)
#define MODNET_ASSIGN_(tmp, decl, expr)            \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return std::move(tmp).error();    \
  decl = std::move(tmp).value()
#define MODNET_ASSIGN(decl, expr) MODNET_ASSIGN_(MODNET_CONCAT(modnet_res_, __LINE__), decl, expr)
