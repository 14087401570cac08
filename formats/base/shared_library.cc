#include "formats/base/shared_library.h"

#include <dlfcn.h>

#include <utility>

namespace modnet {

SharedLibrary::SharedLibrary(std::string name) : name_(std::move(name)), handle_(dlopen(name_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) missing_ = name_ + " cannot be opened";
}

void* SharedLibrary::address(const char* symbol) {
  if (handle_ == nullptr) return nullptr;
  void* found = dlsym(handle_, symbol);
  if (found == nullptr && missing_.empty()) missing_ = name_ + " has no function " + symbol;
  return found;
}

}  // namespace modnet
