#pragma once
// The ledger's file before SQLite sees it: is it ours, and are we the only writer?
#include <fairlead/result.h>

#include <string>

namespace fairlead::sqlite {

enum class FileKind { missing, empty, ours };

/// Reads the file's first bytes and touches nothing.
/// Errors: ledger_unavailable for anything that is not a ledger of ours, is not a file, or cannot be read.
Result<FileKind> identify(const std::string& path);

/// An empty file that only its owner may read. Errors: ledger_unavailable, with the reason (the folder is missing, say).
Result<void> create_private(const std::string& path);

/// The right to write: a lock on "<path>.lock", which the kernel takes back when the process ends, however it ends.
class WriterLock {
 public:
  /// Errors: ledger_unavailable if another process has it, naming that process.
  static Result<WriterLock> take(const std::string& path);
  WriterLock(WriterLock&& other) noexcept;
  WriterLock& operator=(WriterLock&&) = delete;
  ~WriterLock();

 private:
  explicit WriterLock(int file) : file_(file) {}
  int file_ = -1;
};

}  // namespace fairlead::sqlite
