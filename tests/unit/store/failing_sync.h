#pragma once
#include <sqlite3.h>

#include <atomic>

namespace fairlead::test {

/// The next sync of a write-ahead log fails, while this lives and once it is told to; and there is no room for a database itself
/// while it is told so. For files that are opened meanwhile.
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
    full = false;
    refused = 0;
  }
  static void fail_next() { failing = true; }
  static bool has_failed() { return !failing; }
  static void fill(bool is_full) { full = is_full; }
  static int refused_writes() { return refused; }

 private:
  static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    const int done = system->xOpen(system, path, file, flags, flags_out);
    if (done == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
      write_of_system = file->pMethods->xWrite;
      database_methods = *file->pMethods;
      database_methods.xWrite = write;
      file->pMethods = &database_methods;
    }
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

  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
    if (!full) return write_of_system(file, bytes, count, at);
    ++refused;
    return SQLITE_FULL;
  }

  static inline sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  static inline sqlite3_vfs vfs;
  static inline sqlite3_io_methods methods, database_methods;
  static inline int (*sync_of_system)(sqlite3_file*, int);
  static inline int (*write_of_system)(sqlite3_file*, const void*, int, sqlite3_int64);
  static inline std::atomic<bool> failing = false, full = false;
  static inline std::atomic<int> refused = 0;
};

}  // namespace fairlead::test
