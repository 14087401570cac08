// The one place that talks: results to stdout, words for people to stderr, one JSON document where --json asks for it.
// Nothing else in modnet writes to stdout or stderr, or knows what a terminal is. Tested by
// tests/unit/commands/console_test.cc and tests/cli.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "formats/base/result.h"

namespace modnet {

using Json = nlohmann::ordered_json;  // keys in the order in which they were set

enum class Verbosity : uint8_t { kQuiet, kNormal, kVerbose };
enum class ResultForm : uint8_t { kPeople, kJson };

/// Not thread-safe: commands talk from their main thread.
class Console {
 public:
  explicit Console(std::string command);  // reads the environment (NO_COLOR, TERM) and asks whether the streams are terminals
  ~Console();
  void configure(Verbosity verbosity, ResultForm form);

  /// The result for people, on stdout; nothing under --json. Text that comes from files goes through escape_text first.
  void print(std::string_view text);
  /// The result for programs: one document `{"schema": "modnet.COMMAND.v1", …fields}` under --json, nothing otherwise.
  void emit_json(const Json& fields);
  [[nodiscard]] bool json() const { return form_ == ResultForm::kJson; }

  void note(std::string_view text);     // stderr, not with -q
  void detail(std::string_view text);   // stderr, only with -v
  void warn(std::string_view text);     // stderr, "modnet: warning: …", not with -q
  /// One line on a terminal, rewritten at most ten times a second and cleared before anything else is said; nothing elsewhere.
  /// total ≤ 0: unknown.
  void progress(std::string_view what, int64_t done, int64_t total);
  void clear_progress();

  /// `modnet: FILE[:WHERE]: ID: what; fix` on stderr, and under --json the document
  /// `{"schema": …, "error": {code, id, file, where, what, fix, exit}}` on stdout. Returns the exit code.
  int fail(const Error& error);
  /// Writes what is buffered. An error once stdout did not take it (disk full: kUnavailable, reader gone: READER_GONE).
  [[nodiscard]] Status finish();

  [[nodiscard]] bool stdout_is_terminal() const { return stdout_terminal_; }
  [[nodiscard]] int64_t columns() const;  // of the terminal on stdout; 80 where there is none
  /// SGR styling for stdout when it is a terminal and NO_COLOR is not set; the text itself otherwise.
  [[nodiscard]] std::string bold(std::string_view text) const;

 private:
  void say(std::string_view line);
  void put(std::string_view text);  // stdout, buffered
  std::string command_;
  Verbosity verbosity_ = Verbosity::kNormal;
  ResultForm form_ = ResultForm::kPeople;
  bool stdout_terminal_ = false, stderr_terminal_ = false, colour_ = false;
  bool progress_shown_ = false, document_written_ = false;
  std::chrono::steady_clock::time_point progress_at_{};
  std::string pending_;  // stdout bytes not yet written
  int write_errno_ = 0;
};

/// The line that fail() prints, without the newline. Everything that may come from a file is escaped.
[[nodiscard]] std::string error_line(const Error& error);

}  // namespace modnet
