// Independent tasks on threads that live no longer than they: for pieces of a megabyte or more, where a start costs nothing beside them.
// Kernels have a pool (libmod/compute/threads.h). Tested by tests/unit/base/some_threads_test.cc.
#pragma once

#include <cstddef>
#include <functional>

namespace modnet {

/// Runs body(i) once for every i in [0, tasks), the calling thread among at most `threads`; returns when all are done. Where the system
/// gives no more threads, those that there are do it. What a body throws is thrown here once no thread is in a body; tasks that had not begun
/// are left out then.
void run_on_threads(size_t tasks, int threads, const std::function<void(size_t)>& body);

}  // namespace modnet
