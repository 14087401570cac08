// Pipes of tests.
#pragma once

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

namespace modnet::test {

/// Bytes that a pipe gets which somebody asks a megabyte for: less where the system's limit is lower.
inline int widest_pipe() {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  (void)::fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
  const int widest = ::fcntl(ends[0], F_GETPIPE_SZ);
  ::close(ends[0]);
  ::close(ends[1]);
  return widest;
}

}  // namespace modnet::test
