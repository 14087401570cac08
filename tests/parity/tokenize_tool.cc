// A filter for the Python parity test: tokenizer.json as argument, texts as lines (each a JSON string) on standard input,
// token ids as lines on standard output. "--time" prints the speed of several passes instead.
// Used by tests/parity/tokenizer_parity.py.
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "libmod/prepare/text/tokenizer.h"

namespace {

int fail(const modnet::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.where.c_str(), error.what.c_str());
  return 3;
}

int time_passes(const modnet::Tokenizer& tokenizer, const std::vector<std::string>& texts,
                const modnet::EncodeOptions& options) {
  modnet::Tokenizer::Workspace workspace;
  modnet::Encoding encoding;
  for (int pass = 0; pass < 5; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    size_t tokens = 0;
    for (const std::string& text : texts) {
      if (const modnet::Status done = tokenizer.encode(text, options, workspace, encoding); !done.ok())
        return fail(done.error());
      tokens += encoding.ids.size();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%zu tokens, %.3f s, %.2f M tokens/s\n", tokens, took.count(),
                static_cast<double>(tokens) / took.count() / 1e6);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: tokenize_tool tokenizer.json [--max N] [--time]\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  const auto begin = std::chrono::steady_clock::now();
  modnet::Result<modnet::Tokenizer> tokenizer = modnet::Tokenizer::from_json(json);
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - begin;
  if (!tokenizer.ok()) return fail(tokenizer.error());
  modnet::EncodeOptions options;
  bool timed = false;
  for (int i = 2; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--time") timed = true;
    if (arg == "--max" && i + 1 < argc) options.max_length = std::stoll(argv[++i]);
  }
  std::vector<std::string> texts;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    std::string_view text;
    if (parser.parse(line).get_string().get(text) != simdjson::SUCCESS) {
      std::fputs("a line is no JSON string\n", stderr);
      return 3;
    }
    texts.emplace_back(text);
  }
  if (timed) {
    std::printf("loaded in %.1f ms\n", load.count() * 1e3);
    return time_passes(*tokenizer, texts, options);
  }
  modnet::Tokenizer::Workspace workspace;
  modnet::Encoding encoding;
  std::string out;
  for (const std::string& text : texts) {
    if (const modnet::Status done = tokenizer->encode(text, options, workspace, encoding); !done.ok())
      return fail(done.error());
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      if (i > 0) out.push_back(' ');
      out.append(std::to_string(encoding.ids[i]));
    }
    out.push_back('\n');
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}
