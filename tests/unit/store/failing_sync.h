#pragma once
#include <sqlite3.h>

#include <atomic>

namespace fairlead::test {

/// The next sync of a write-ahead log fails, while this lives and once it is told to. For files that are opened meanwhile.
class FailingSync {
 public:
  FailingSync() {
    vfs = *system;
    vfs.zName = "failing-sync";
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 1);
  }
  FailingSync(const FailingSync&) = delete;
  FailingSync& operator=(const FailingSync&) = delete;
  ~FailingSync() {
    sqlite3_vfs_register(system, 1);
    sqlite3_vfs_unregister(&vfs);
  }
  static void fail_next() { failing = true; }
  static bool has_failed() { return !failing; }

 private:
  static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    const int done = system->xOpen(system, path, file, flags, flags_out);
    if (done != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return done;
    sync_of_system = file->pMethods->xSync;
    methods = *file->pMethods;
    methods.xSync = sync;
    file->pMethods = &methods;
    return done;
  }
  static int sync(sqlite3_file* file, int flags) {
    return failing.exchange(false) ? SQLITE_IOERR_FSYNC : sync_of_system(file, flags);
  }

  static inline sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  static inline sqlite3_vfs vfs;
  static inline sqlite3_io_methods methods;
  static inline int (*sync_of_system)(sqlite3_file*, int);
  static inline std::atomic<bool> failing = false;
};

}  // namespace fairlead::test
