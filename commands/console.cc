#include "commands/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "commands/exit.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr size_t kFlushAt = 1 << 16;
constexpr std::chrono::milliseconds kProgressEvery{100};

// All of `text` to a descriptor; the errno of what went wrong, 0 if nothing.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kNo: return "no";
    case Code::kUsage: return "usage";
    case Code::kUnreadable: return "unreadable";
    case Code::kMalformed: return "malformed";
    case Code::kInvalid: return "invalid";
    case Code::kDigest: return "digest";
    case Code::kUnavailable: return "unavailable";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace

std::string error_line(const Error& error) {
  std::string out = "modnet: ";
  if (!error.file.empty()) out += escape_text(error.file) + (error.where.empty() ? "" : ":" + escape_text(error.where)) + ": ";
  if (!error.id.empty()) out += error.id + ": ";
  if (error.file.empty() && !error.where.empty()) out += escape_text(error.where) + ": ";
  out += escape_text(error.what);
  if (!error.fix.empty()) out += "; " + escape_text(error.fix);
  return out;
}

Console::Console(std::string command) : command_(std::move(command)) {
  stdout_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
  stderr_terminal_ = ::isatty(STDERR_FILENO) == 1 && !dumb;
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = stdout_terminal_ && !dumb && (no_colour == nullptr || *no_colour == '\0');
}

Console::~Console() {
  clear_progress();
  if (!pending_.empty() && write_errno_ == 0) write_errno_ = write_all(STDOUT_FILENO, pending_);
}

void Console::configure(Verbosity verbosity, ResultForm form) {
  verbosity_ = verbosity;
  form_ = form;
}

void Console::put(std::string_view text) {
  if (write_errno_ != 0) return;
  pending_ += text;
  if (pending_.size() < kFlushAt) return;
  clear_progress();
  write_errno_ = write_all(STDOUT_FILENO, pending_);
  pending_.clear();
}

void Console::print(std::string_view text) {
  if (form_ == ResultForm::kPeople) put(text);
}

void Console::emit_json(const Json& fields) {
  if (form_ != ResultForm::kJson || document_written_) return;
  document_written_ = true;
  Json document;
  document["schema"] = "modnet." + command_ + ".v1";
  if (fields.is_object()) document.update(fields);
  put(escape_json(document.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n");
}

void Console::say(std::string_view line) {
  clear_progress();
  static_cast<void>(write_all(STDERR_FILENO, std::string(line) + "\n"));  // nowhere left to complain
}

void Console::note(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) say("modnet: " + std::string(text));
}
void Console::detail(std::string_view text) {
  if (verbosity_ == Verbosity::kVerbose) say("modnet: " + std::string(text));
}
void Console::warn(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) say("modnet: warning: " + std::string(text));
}

void Console::progress(std::string_view what, int64_t done, int64_t total) {
  if (!stderr_terminal_ || verbosity_ == Verbosity::kQuiet) return;
  const auto now = std::chrono::steady_clock::now();
  if (progress_shown_ && now - progress_at_ < kProgressEvery) return;
  progress_at_ = now;
  progress_shown_ = true;
  std::string line = "\r\033[K" + escape_text(what) + " " + std::to_string(done);
  if (total > 0) line += "/" + std::to_string(total) + " (" + std::to_string(done * 100 / total) + " %)";
  static_cast<void>(write_all(STDERR_FILENO, line));
}

void Console::clear_progress() {
  if (!progress_shown_) return;
  progress_shown_ = false;
  static_cast<void>(write_all(STDERR_FILENO, "\r\033[K"));
}

int Console::fail(const Error& error) {
  const int code = exit_code(error);
  if (code == kExitReaderGone) {  // whoever read us has had enough: that is no message
    pending_.clear();
    write_errno_ = EPIPE;
    return code;
  }
  if (form_ == ResultForm::kJson && !document_written_) {
    Json fields;
    fields["error"] = {{"code", code_name(error.code)}, {"id", error.id},     {"file", error.file}, {"where", error.where},
                       {"what", error.what},            {"fix", error.fix},   {"exit", code}};
    emit_json(fields);
  }
  say(error_line(error));
  return code;
}

Status Console::finish() {
  clear_progress();
  if (write_errno_ == 0 && !pending_.empty()) {
    write_errno_ = write_all(STDOUT_FILENO, pending_);
    pending_.clear();
  }
  if (write_errno_ == 0) return ok();
  const bool gone = write_errno_ == EPIPE;
  return Error{Code::kUnavailable, gone ? "READER_GONE" : "CANNOT_WRITE",
               std::string("write failed: ") + std::strerror(write_errno_), {}, "(standard output)", {}};
}

int64_t Console::columns() const {
  winsize size{};
  if (stdout_terminal_ && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  return 80;
}

std::string Console::bold(std::string_view text) const {
  return colour_ ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
}

}  // namespace modnet
