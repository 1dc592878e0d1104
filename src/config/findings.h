#pragma once
// Collects what is wrong with a configuration, so that all of it is told at once. One per load; one thread.
#include "config/config.h"
#include "config/value.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

/// Findings told of one load; a file that is wrong throughout says no more than this.
inline constexpr std::size_t findings_max = 200;

class Findings {
 public:
  /// Registers a file and gives its index for Place::file.
  int add_file(std::string name);
  const std::string& file(int index) const { return files_.at(static_cast<std::size_t>(index)); }

  void error(const Value& at, std::string message, std::string hint = {});
  void warning(const Value& at, std::string message, std::string hint = {});
  /// What is wrong in this file takes no configuration down: its errors are told as warnings, and remembered.
  void forgive(int file) { forgiven_.emplace(file, false); }
  /// Was there any error in it?
  bool forgiven(int file) const { return forgiven_.at(file); }
  void add(Severity severity, Place place, std::string path, std::string message, std::string hint = {});

  /// The errors of another, with their files.
  void add_errors_of(const Findings& other);

  bool failed() const { return failed_; }
  /// "more.yaml:12:3"
  std::string where(Place place) const;
  /// In the order of the files, lines and columns. Of too many, all errors come first, and the last says of `main_file` how many
  /// are left out.
  std::vector<Finding> take(const std::string& main_file);

 private:
  struct Located {
    int file;
    Finding finding;
  };
  std::vector<std::string> files_;
  std::vector<Located> located_;
  std::map<int, bool> forgiven_;
  bool failed_ = false;
};

/// Does any word of it have the shape of a key, token or private key? Names of models, files and variables have not.
bool looks_secret(std::string_view text);
/// The text in single quotes, short and without control bytes. What looks like a secret is not repeated: findings go to screens and
/// logs.
std::string in_quotes(std::string_view text);
/// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& words);
/// "did you mean 'deepseek'?", or, if nothing is near, the list of what there is after `otherwise`: "the providers are: a, b".
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known, std::string_view otherwise = {});

}  // namespace fairlead::config
