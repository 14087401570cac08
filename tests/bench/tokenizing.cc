// Encodes the lines of a file once for each line on standard input, with a fresh workspace each time, and prints what that cost:
// {"tokens", "cpu" seconds, "sum" of id × position, so that the caller can compare ids}. Driven by tokenizing.py.
//   bench_tokenizing_program tokenizer.json texts
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "libmod/prepare/text/tokenizer.h"

namespace {

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int fail(const modnet::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.where.c_str(), error.what.c_str());
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_tokenizing_program tokenizer.json texts\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  const modnet::Result<modnet::Tokenizer> tokenizer = modnet::Tokenizer::from_json(json);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  std::vector<std::string> texts;
  std::ifstream lines(argv[2], std::ios::binary);
  for (std::string line; std::getline(lines, line);) texts.push_back(line);
  for (std::string go; std::getline(std::cin, go);) {
    modnet::Tokenizer::Workspace workspace;
    modnet::Encoding encoding;
    uint64_t tokens = 0;
    uint64_t sum = 0;
    const double begin = thread_seconds();
    for (const std::string& text : texts) {
      if (const modnet::Status done = tokenizer->encode(text, {}, workspace, encoding); !done.ok()) return fail(done.error());
      for (const int32_t id : encoding.ids) sum += static_cast<uint64_t>(id) * ++tokens;
    }
    std::printf("{\"tokens\": %llu, \"cpu\": %.6f, \"sum\": %llu}\n", static_cast<unsigned long long>(tokens),
                thread_seconds() - begin, static_cast<unsigned long long>(sum));
    std::fflush(stdout);
  }
  return 0;
}
