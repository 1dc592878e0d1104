#pragma once
// The calls to the operating system that the journal makes, so that tests can let each of them fail. Thread-safe, as the system is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fairlead {

/// Files by number. What can fail gives -1 and sets errno, as the system's own calls do.
class JournalFiles {
 public:
  virtual ~JournalFiles() = default;
  virtual int create(const std::string& path) = 0;  ///< for reading and writing, mode 0600; fails if it exists
  virtual int open(const std::string& path) = 0;    ///< for reading
  virtual void close(int file) = 0;
  virtual std::int64_t read(int file, void* bytes, std::size_t count, std::uint64_t offset) = 0;
  virtual std::int64_t write(int file, const void* bytes, std::size_t count, std::uint64_t offset) = 0;
  virtual int sync(int file) = 0;  ///< the content is durable
  virtual int remove(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int sync_folder_of(const std::string& path) = 0;  ///< names that came and went are durable
  /// What follows `prefix` in the names of the files that begin so.
  virtual int list(const std::string& prefix, std::vector<std::string>& rests) = 0;
};

/// The real ones.
JournalFiles& system_files();

/// An open file, closed at the end.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(JournalFiles& files, int number) : files_(&files), number_(number) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  explicit operator bool() const { return number_ >= 0; }
  /// All of the bytes, or false.
  bool write(const void* bytes, std::size_t count, std::uint64_t offset) const;
  /// As many as there are up to `count`; -1 on an error.
  std::int64_t read(void* bytes, std::size_t count, std::uint64_t offset) const;
  bool sync() const { return files_->sync(number_) == 0; }

 private:
  JournalFiles* files_ = nullptr;
  int number_ = -1;
};

}  // namespace fairlead
