// Libraries that few commands need, opened by name when the first of them asks (OpenBLAS, libcrypto): a process that does not ask pays
// nothing for them. Tested by tests/unit/base/shared_library_test.cc.
#pragma once

#include <string>

namespace modnet {

/// Stays open until the process ends. Not thread-safe; keep one in a function's static.
class SharedLibrary {
 public:
  /// Looks where the system's loader looks, for example for "libcrypto.so.3".
  explicit SharedLibrary(std::string name);

  /// Sets `function` to the address of a symbol, or null and notes that it is missing.
  template <typename F>
  void find(const char* symbol, F*& function) {
    function = reinterpret_cast<F*>(address(symbol));
  }
  /// What is not there, in words ("libcrypto.so.3 cannot be opened", "… has no function X"); empty when all that was looked for is.
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  [[nodiscard]] void* address(const char* symbol);
  std::string name_;
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace modnet
