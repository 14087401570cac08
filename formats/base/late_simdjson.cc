// What the header of simdjson leaves to its library, taken from there when the first JSON is read. Debian has no archive of it, and as a library
// that every process loads it brings the shared libstdc++: looking up the symbols of both was half the time of a command that reads none.
// Source: simdjson.h 3.0; everything else there is inline or virtual. Tested by all that reads JSON.
#include <cstdio>
#include <cstdlib>

#include <simdjson.h>

#include "formats/base/shared_library.h"

namespace {

struct Functions {
  decltype(&simdjson::get_active_implementation) implementation = nullptr;
  bool (*validate_utf8)(const char*, size_t) = nullptr;
  char* (*to_chars)(char*, const char*, double) = nullptr;
};

/// As the system's loader would, ends the process where the library is missing.
Functions open_library() {
  Functions out;
  modnet::SharedLibrary library(MODNET_SIMDJSON_LIBRARY);
  library.find("_ZN8simdjson25get_active_implementationEv", out.implementation);
  library.find("_ZN8simdjson13validate_utf8EPKcm", out.validate_utf8);
  library.find("_ZN8simdjson8internal8to_charsEPcPKcd", out.to_chars);
  if (library.missing().empty()) return out;
  std::fprintf(stderr, "modnet: UNAVAILABLE: %s\n  hint: install the library that modnet was built with\n", library.missing().c_str());
  std::_Exit(5);
}

const Functions& functions() {
  static const Functions found = open_library();
  return found;
}

}  // namespace

namespace simdjson {

internal::atomic_ptr<const implementation>& get_active_implementation() { return functions().implementation(); }

bool validate_utf8(const char* buffer, size_t length) noexcept { return functions().validate_utf8(buffer, length); }

namespace internal {

char* to_chars(char* first, const char* last, double value) { return functions().to_chars(first, last, value); }

const error_code_info error_codes[] = {
    {SUCCESS, "no error"},
    {CAPACITY, "larger than it may be"},
    {MEMALLOC, "not enough memory"},
    {TAPE_ERROR, "a value is missing, cut off or out of place"},
    {DEPTH_ERROR, "lists or objects are nested too deeply"},
    {STRING_ERROR, "a string has a wrong escape"},
    {T_ATOM_ERROR, "a word begins with t and is not true"},
    {F_ATOM_ERROR, "a word begins with f and is not false"},
    {N_ATOM_ERROR, "a word begins with n and is not null"},
    {NUMBER_ERROR, "a number is wrong"},
    {UTF8_ERROR, "not UTF-8"},
    {UNINITIALIZED, "nothing was read"},
    {EMPTY, "there is no value"},
    {UNESCAPED_CHARS, "a string holds a control character that is not escaped"},
    {UNCLOSED_STRING, "a string has no end"},
    {UNSUPPORTED_ARCHITECTURE, "this CPU is not supported"},
    {INCORRECT_TYPE, "a value is of another type"},
    {NUMBER_OUT_OF_RANGE, "a number is out of range"},
    {INDEX_OUT_OF_BOUNDS, "an index is out of range"},
    {NO_SUCH_FIELD, "a key is missing"},
    {IO_ERROR, "reading failed"},
    {INVALID_JSON_POINTER, "a JSON pointer is wrong"},
    {INVALID_URI_FRAGMENT, "a URI fragment is wrong"},
    {UNEXPECTED_ERROR, "an unexpected error"},
    {PARSER_IN_USE, "the parser is in use"},
    {OUT_OF_ORDER_ITERATION, "values were read out of order"},
    {INSUFFICIENT_PADDING, "the text has no room behind it"},
    {INCOMPLETE_ARRAY_OR_OBJECT, "a list or object has no end"},
    {SCALAR_DOCUMENT_AS_VALUE, "a single value stands for a document"},
    {OUT_OF_BOUNDS, "a place outside the text"},
    {TRAILING_CONTENT, "something follows the value"},
};
static_assert(sizeof error_codes / sizeof error_codes[0] == NUM_ERROR_CODES);

}  // namespace internal
}  // namespace simdjson
