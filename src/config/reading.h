#pragma once
// Reads the files of one configuration: text, references, includes, merged into one tree; and digests all that was read. One load;
// one thread.
#include "config/config.h"
#include "config/digest.h"
#include "config/findings.h"
#include "config/value.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace fairlead::config {

inline constexpr std::size_t file_bytes_max = 4u << 20;     ///< of a YAML file
inline constexpr std::size_t secret_bytes_max = 64u << 10;  ///< of what a reference stands for
inline constexpr int files_max = 64;                        ///< included by one configuration
inline constexpr int include_depth_max = 8;

class Reading {
 public:
  Reading(const Sources& sources, Findings& findings) : sources_(sources), findings_(findings) {}

  /// One text; validated, and nothing that it includes. Not a map: nothing is in it.
  Value read_text(const std::string& name, std::string_view text);
  /// The user's file with all it includes; each validated, then merged. Errors: to the findings; what could be read is returned.
  Value read_files(const std::string& path);
  /// A key of the ledger's database, merged into what the files say. Errors: to the findings, as warnings.
  void read_stored_key(const StoredKeyText& key, Value& whole);
  /// Does this file stand for such a key?
  bool is_stored_key(int file) const { return stored_keys_.count(file) != 0; }
  /// Their names by file.
  const std::map<int, std::string>& stored_keys() const { return stored_keys_; }
  /// The path of a file that an option names, relative to the file of the option, and what it holds. Errors: to the findings, if it
  /// cannot be read; then `text` is empty.
  struct OptionFile {
    std::string path, text;
  };
  OptionFile option_file(const Value& option);
  /// Where secrets are assumed, it counts as one: it is another machine's.
  bool is_writable_folder(const std::string& path) const {
    return !sources_.writable_folder || sources_.secrets_assumed || sources_.writable_folder(path);
  }
  bool secrets_assumed() const { return sources_.secrets_assumed; }
  void add_to_hash(std::string_view text) { digest_.add(text); }
  std::string hash() { return digest_.finish(); }

 private:
  void read_file(const std::string& path, const Value* include, int depth, Value& whole);
  void read_includes(const Value& root, int depth, Value& whole);
  void merge(Value& whole, Value part);
  void merge_maps(Value& whole, Value part);
  void set_twice(const Value& first, const Value& second);
  void resolve(Value& value);
  void resolve_scalar(Value& value);
  /// One reference, "env:NAME"; false: missing, and the value says why.
  bool resolve_reference(Value& value, std::string_view reference, std::string& out);
  std::string beside(int file, const std::string& path) const;

  const Sources& sources_;
  Findings& findings_;
  Digest digest_;
  std::map<int, std::string> stored_keys_;
  std::map<std::string, Place> included_;  ///< by path: where it was asked for
};

}  // namespace fairlead::config
