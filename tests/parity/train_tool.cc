// Trains a head on two npy-like raw files and prints it as JSON: what the Python judges (logistic.py, heads.py) compare
// with scikit-learn. Not installed.
// train_tool logistic|ridge|ridge_classifier X.f32 Y COLUMNS OUTPUTS THREADS STANDARDIZE(auto|no|yes)
// STRENGTHS(a,b,…|default) X.f32: rows of f32 numbers; Y: i32 labels, or f64 targets for ridge. Prints seconds, the
// report, bias and weights.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "libmod/train/logistic.h"
#include "libmod/train/ridge.h"

namespace {

template <typename T>
std::vector<T> read_numbers(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "train_tool: %s: cannot be read\n", path.c_str());
    std::exit(3);
  }
  std::vector<T> out(static_cast<size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size() * sizeof(T)));
  return out;
}

std::vector<double> strengths_from(const std::string& text) {
  std::vector<double> out;
  if (text == "default") return out;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) out.push_back(std::stod(part));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace modnet;
  if (argc != 9) {
    std::fprintf(stderr, "usage: train_tool KIND X Y COLUMNS OUTPUTS THREADS STANDARDIZE STRENGTHS\n");
    return 2;
  }
  const std::string kind = argv[1];
  const std::vector<float> x = read_numbers<float>(argv[2]);
  const int64_t columns = std::atoll(argv[4]);
  const int64_t outputs = std::atoll(argv[5]);
  const Features features{x, static_cast<int64_t>(x.size()) / columns, columns};
  const std::string scaling = argv[7];
  const Standardize standardize =
      scaling == "no" ? Standardize::kNo : (scaling == "yes" ? Standardize::kYes : Standardize::kAuto);
  ThreadPool pool(std::atoi(argv[6]));
  const ComputeContext context{&pool, Policy::kPortable};

  const auto start = std::chrono::steady_clock::now();
  Result<LinearHead> head = internal("no such kind");
  if (kind == "logistic") {
    LogisticOptions options;
    options.strengths = strengths_from(argv[8]);
    options.standardize = standardize;
    head = train_logistic(context, features, read_numbers<int32_t>(argv[3]), outputs, options);
  } else {
    RidgeOptions options;
    options.strengths = strengths_from(argv[8]);
    options.standardize = standardize;
    head = kind == "ridge"
               ? train_ridge(context, features, read_numbers<double>(argv[3]), outputs, options)
               : train_ridge_classifier(context, features, read_numbers<int32_t>(argv[3]), outputs, options);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!head.ok()) {
    std::fprintf(stderr, "train_tool: %s\n", head.error().what.c_str());
    return 3;
  }
  const TrainReport& report = head->report;
  nlohmann::json path = nlohmann::json::array();
  for (const PathPoint& point : report.path) {
    path.push_back({{"strength", point.strength},
                    {"holdout_loss", point.holdout_loss},
                    {"holdout_score", point.holdout_score},
                    {"iterations", point.iterations},
                    {"objective", point.objective}});
  }
  const nlohmann::json out = {{"seconds", seconds},
                              {"strength", report.strength},
                              {"objective", report.objective},
                              {"iterations", report.iterations},
                              {"converged", report.converged},
                              {"standardized", report.standardized},
                              {"dropped", report.dropped},
                              {"holdout_rows", report.holdout_rows},
                              {"path", path},
                              {"bias", head->bias},
                              {"weights", head->weights}};
  std::printf("%s\n", out.dump().c_str());
  return 0;
}
