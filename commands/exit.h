// Exit codes of every command (DESIGN section 3; modnet.1, EXIT STATUS). Tested by tests/unit/commands/console_test.cc.
#pragma once

#include "formats/base/result.h"

namespace modnet {

inline constexpr int kExitOk = 0;
inline constexpr int kExitNo = 1;           // ran well, the answer is no
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInput = 3;        // an input that cannot be read, is malformed or undefined for the operation
inline constexpr int kExitDigest = 4;
inline constexpr int kExitUnavailable = 5;  // feature, device, memory, a write that failed
inline constexpr int kExitBug = 70;
inline constexpr int kExitInterrupted = 130;
inline constexpr int kExitReaderGone = 141;
inline constexpr int kExitTerminated = 143;

[[nodiscard]] inline int exit_code(const Error& error) {
  if (error.id == "READER_GONE") return kExitReaderGone;
  switch (error.code) {
    case Code::kNo: return kExitNo;
    case Code::kUsage: return kExitUsage;
    case Code::kUnreadable:
    case Code::kMalformed:
    case Code::kInvalid: return kExitInput;
    case Code::kDigest: return kExitDigest;
    case Code::kUnavailable: return kExitUnavailable;
    case Code::kInternal: return kExitBug;
  }
  return kExitBug;
}

}  // namespace modnet
