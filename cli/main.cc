// Starts modnet: the words of the command line go to cli/run.cc, its exit code comes back. Tested by tests/cli.
#include <string>
#include <vector>

#include "cli/run.h"

int main(int argc, char** argv) { return modnet::run_modnet({argv + (argc > 0 ? 1 : 0), argv + argc}); }
