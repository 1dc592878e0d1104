// The house keeps its plan by more than goodwill: who may include whom, which library is seen where, what a coroutine may not say
// on GCC 12.2, and which names and words do not live here. Everything is read from the sources as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

const fs::path root = FAIRLEAD_SOURCE_DIR;

/// The one table: folder of src/ -> the folders (or single headers) that it may include beside itself and <fairlead/...>.
const std::map<std::string, std::set<std::string>> may_see = {
    {"contract", {}},
    {"wire", {}},
    {"strategy", {}},
    {"plan", {}},
    {"store", {}},
    {"content", {"wire"}},
    {"config", {"wire", "content"}},
    {"dialect", {"wire"}},
    {"ledger", {"wire"}},
    {"state", {}},
    {"simulator", {}},
    {"net", {"wire"}},
    {"exchange", {"net", "ledger", "state", "plan", "strategy", "dialect", "config/cell.h"}},
    {"daemon", {"exchange", "net", "ledger", "state", "plan", "strategy", "dialect", "store", "config", "wire"}},
    {"cli",
     {"daemon", "simulator", "exchange", "net", "ledger", "state", "plan", "strategy", "dialect", "store", "config", "wire"}},
    {"main.cpp", {"cli"}},
};

/// Start of a library's header name -> the only folders that may include it; the longest start that fits decides.
/// "include" is include/fairlead.
const std::map<std::string, std::set<std::string>> library_seen_by = {
    {"boost/", {"net", "exchange", "daemon", "simulator"}},
    {"boost/asio/signal_set.hpp", {"daemon", "cli"}},
    {"boost/asio/io_context.hpp", {"net", "exchange", "daemon", "simulator", "cli"}},
    {"boost/system/result.hpp", {"include", "net", "exchange", "daemon", "simulator"}},
    {"boost/beast", {"net"}},
    {"boost/asio/ssl", {"net"}},
    {"openssl/", {"net"}},
    {"openssl/crypto.h", {"net", "plan"}},
    {"openssl/evp.h", {"net", "plan", "config", "store", "cli"}},
    {"openssl/sha.h", {"net", "plan", "config", "cli"}},
    {"openssl/err.h", {"net", "config", "wire"}},
    {"openssl/pem.h", {"config", "wire"}},
    {"openssl/x509.h", {"net", "config"}},
    {"openssl/rand.h", {"net", "daemon"}},
    {"nlohmann/", {"dialect", "plan", "config", "simulator", "exchange", "daemon", "cli"}},
    {"nlohmann/json_fwd.hpp", {"include", "dialect", "plan", "config", "simulator", "exchange", "daemon", "cli"}},
    {"simdjson.h", {"dialect"}},
    {"yaml-cpp/", {"config"}},
    {"re2/", {"content"}},
    {"sqlite3.h", {"store"}},
    {"zlib.h", {"wire", "ledger"}},
    {"spdlog/", {"daemon"}},
    {"fmt/", {"daemon"}},
    {"CLI/", {"cli"}},
    {"prometheus/", {"daemon"}},
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_source(const fs::path& path) { return path.extension() == ".h" || path.extension() == ".cpp"; }

/// All files below the folders, in order.
std::vector<fs::path> files_below(const std::vector<std::string>& folders) {
  std::vector<fs::path> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    if (fs::is_regular_file(root / folder))
      files.push_back(root / folder);
    else
      for (fs::recursive_directory_iterator it(root / folder), end; it != end; ++it) {
        if (it->path().filename() == "node_modules" || it->path().filename() == "__pycache__")
          it.disable_recursion_pending();
        else if (it->is_regular_file())
          files.push_back(it->path());
      }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> sources_below(const std::vector<std::string>& folders) {
  std::vector<fs::path> files = files_below(folders);
  files.erase(std::remove_if(files.begin(), files.end(), [](const fs::path& path) { return !is_source(path); }), files.end());
  return files;
}

std::string in_tree(const fs::path& path) { return path.lexically_relative(root).string(); }

int line_of(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

struct Include {
  std::string name;
  bool angled = false;  ///< <...>, not "..."
  int line = 0;
};

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> found;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number)
    if (std::smatch match; line.find('#') != std::string::npos && std::regex_match(line, match, pattern))
      found.push_back({match[2].str(), match[1].str() == "<", number});
  return found;
}

/// "plan" of src/plan/x.h, "main.cpp" of src/main.cpp, "include" of include/fairlead/x.h.
std::string folder_of(const fs::path& path) {
  const fs::path inside = path.lexically_relative(root);
  return *inside.begin() == "include" ? "include" : std::next(inside.begin())->string();
}

/// What is wrong with one include, or empty.
std::string breach(const std::string& folder, const Include& include) {
  if (include.name.rfind("fairlead/", 0) == 0) {
    if (!include.angled) return "a contract is included in angle brackets";
    return fs::exists(root / "include" / include.name) ? "" : "no such contract";
  }
  if (!include.angled) {
    if (folder == "include") return "a contract includes no private header";
    const std::string theirs = *fs::path(include.name).begin();
    if (!fs::exists(root / "src" / include.name)) return "a private header is named by its path below src/";
    if (theirs != folder && may_see.at(folder).count(theirs) == 0 && may_see.at(folder).count(include.name) == 0)
      return "src/" + folder + " may not see src/" + theirs;
    return "";
  }
  const std::pair<const std::string, std::set<std::string>>* rule = nullptr;
  for (const auto& row : library_seen_by)
    if (include.name.rfind(row.first, 0) == 0 && (!rule || row.first.size() > rule->first.size())) rule = &row;
  if (rule && rule->second.count(folder) == 0) return "the library is not seen in " + folder;
  if (!rule && folder == "include" && include.name.find('/') != std::string::npos)
    return "a contract includes the standard library alone";
  return "";
}

TEST(House, every_folder_has_its_row_and_its_paragraph) {
  const std::string plan = read(root / "src/README.md");
  std::vector<std::string> wrong;
  for (const auto& entry : fs::directory_iterator(root / "src")) {
    const std::string name = entry.path().filename();
    if (entry.is_directory() && may_see.count(name) == 0) wrong.push_back(name + ": no row in may_see");
    if (entry.is_directory() && plan.find("`" + name + "/`") == std::string::npos)
      wrong.push_back(name + ": no paragraph in src/README.md");
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(House, includes_look_only_downwards) {
  std::vector<std::string> wrong;
  for (const fs::path& path : sources_below({"include", "src"}))
    for (const Include& include : includes_of(read(path)))
      if (const std::string why = breach(folder_of(path), include); !why.empty())
        wrong.push_back(in_tree(path) + ":" + std::to_string(include.line) + ": " + include.name + ": " + why);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(House, a_breach_is_seen) {
  EXPECT_EQ(breach("plan", {"net/task.h", false, 1}), "src/plan may not see src/net");
  EXPECT_EQ(breach("daemon", {"boost/beast/http.hpp", true, 1}), "the library is not seen in daemon");
  EXPECT_EQ(breach("include", {"nlohmann/json.hpp", true, 1}), "the library is not seen in include");
  EXPECT_EQ(breach("include", {"net/task.h", false, 1}), "a contract includes no private header");
  EXPECT_EQ(breach("plan", {"fairlead/plan.h", false, 1}), "a contract is included in angle brackets");
  EXPECT_EQ(breach("exchange", {"net/task.h", false, 1}), "");
  EXPECT_EQ(breach("include", {"boost/system/result.hpp", true, 1}), "");
}

TEST(House, the_first_include_of_a_source_is_its_own_header) {
  std::vector<std::string> wrong;
  for (const fs::path& path : sources_below({"src"})) {
    if (path.extension() == ".h") {
      if (read(path).rfind("#pragma once", 0) != 0) wrong.push_back(in_tree(path) + ": does not begin with #pragma once");
      continue;
    }
    const fs::path header = fs::path(path).replace_extension(".h");
    if (!fs::exists(header)) continue;
    const std::vector<Include> includes = includes_of(read(path));
    if (includes.empty() || includes.front().name != header.lexically_relative(root / "src").string())
      wrong.push_back(in_tree(path) + ": its first include is not its own header");
  }
  EXPECT_THAT(wrong, IsEmpty());
}

/// The text with comments, strings and characters blanked out, line breaks kept.
std::string code_only(const std::string& text) {
  std::string code = text;
  const auto blank = [&code](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, code.size()); ++i)
      if (code[i] != '\n') code[i] = ' ';
  };
  const auto after = [&text](std::string_view mark, std::size_t from) {
    const std::size_t at = text.find(mark, from);
    return at == std::string::npos ? text.size() : at + mark.size();
  };
  for (std::size_t i = 0; i < text.size();) {
    const bool in_word = i > 0 && (std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0 || text[i - 1] == '_');
    std::size_t end = i;
    if (text.compare(i, 2, "//") == 0)
      end = text.find('\n', i);
    else if (text.compare(i, 2, "/*") == 0)
      end = after("*/", i + 2);
    else if (!in_word && text.compare(i, 2, "R\"") == 0)
      end = after(")" + text.substr(i + 2, text.find('(', i) - i - 2) + "\"", i);
    else if (text[i] == '"' || (text[i] == '\'' && !in_word)) {  // in a word: 1'000'000
      for (end = i + 1; end < text.size() && text[end] != text[i]; ++end)
        if (text[end] == '\\') ++end;
      ++end;
    }
    if (end == i) {
      ++i;
      continue;
    }
    blank(i, end);
    i = std::min(end, text.size());
  }
  return code;
}

/// Does this '{' begin a block (of a function, class, lambda, control statement), and not the initialiser of a value?
/// `before`: the statement up to the brace.
bool begins_block(const std::string& before) {
  static const std::regex head(R"(^\s*(template\b[^;]*>\s*)?(class|struct|union|enum|namespace|extern)\b)");
  static const std::regex tail(R"(([;{})\]]|\b(else|do|try|const|noexcept|override|final|mutable)|->[\w:<>,\s*&]+)$)");
  const std::size_t last = before.find_last_not_of(" \t\n");
  if (last == std::string::npos) return true;
  const std::string end = before.substr(0, last + 1);
  return std::regex_search(end, head) || std::regex_search(end.substr(end.size() > 100 ? end.size() - 100 : 0), tail);
}

/// The keyword whose condition begins after this text, or empty.
std::string keyword_before(const std::string& before) {
  static const std::regex keyword(R"(\b(if|while|for|switch)(\s+constexpr)?\s*$)");
  std::smatch found;
  const std::string end = before.size() > 30 ? before.substr(before.size() - 30) : before;
  return std::regex_search(end, found, keyword) ? found[1].str() : "";
}

/// A temporary written in place: a lambda, or braces around the parts of a value. The standard library's own types are no
/// aggregates with a destructor, but for std::array.
bool has_temporary(const std::string& statement) {
  static const std::regex lambda(R"((^|[^\w\])\s])\s*\[[^\[\]]*\]\s*(\(|\{|mutable|<|->|$))");
  static const std::regex braces(R"((?:([A-Za-z_][\w:]*)(?:<[^;(){}]*>)?|[(,=])\s*\{)");
  if (std::regex_search(statement, lambda)) return true;
  for (std::sregex_iterator it(statement.begin(), statement.end(), braces), end; it != end; ++it) {
    const std::string type = (*it)[1].str();
    if (type.rfind("std::", 0) == 0 && type != "std::array") continue;
    return true;
  }
  return false;
}

/// Does an await stand beside a logical operator? asio's own, within `co_await (a || b)`, do not count.
bool is_operand(const std::string& statement) {
  static const std::regex operand(R"((&&|\|\||\?)[^;]*\bco_await\b|\bco_await\s+[^(\s][^;]*(&&|\|\||\?))");
  static const std::regex reference(R"(\bauto\s*&&)");
  return std::regex_search(std::regex_replace(statement, reference, "auto"), operand);
}

/// Reads the statements of one file for what GCC 12.2 makes wrong code of:
/// - a full expression that awaits while a temporary of its own lives: the temporary is destroyed twice;
/// - a condition that awaits: in a coroutine without any variable of its own its body is never run, or ends in a trap;
/// - an await that is an operand of &&, || or ?: a loop's condition awaits whatever the other side is, and others have crashed.
/// What the condition awaits is named first, which `if (const auto r = co_await f(); !r)` does in one line.
class AwaitPitfalls {
 public:
  /// Their lines.
  static std::vector<int> in(const std::string& text) {
    if (text.find("co_") == std::string::npos) return {};
    AwaitPitfalls pitfalls(code_only(text));
    pitfalls.scan();
    std::sort(pitfalls.lines_.begin(), pitfalls.lines_.end());
    return pitfalls.lines_;
  }

 private:
  enum class Brace { scope, block, value };  // of a class or namespace; of statements; of a value's parts

  explicit AwaitPitfalls(std::string code) : code_(std::move(code)) {}

  void scan() {
    for (std::size_t i = 0; i < code_.size(); ++i) {
      ended_ = false;
      switch (code_[i]) {
        case '(': parentheses_.push_back(keyword_before(statement_)); break;
        case ')': close_parenthesis(i); break;
        case '{': open_brace(i); break;
        case '}': close_brace(i); break;
        case ';': end_statement(i, !parentheses_.empty() && parentheses_.back() == "for" ? "for" : ""); break;
        default: break;
      }
      if (!ended_) statement_ += code_[i];
    }
  }

  void close_parenthesis(std::size_t at) {
    if (parentheses_.empty()) return;
    const std::string keyword = parentheses_.back();
    parentheses_.pop_back();
    if (!keyword.empty()) end_statement(at, keyword);
  }

  void open_brace(std::size_t at) {
    static const std::regex scope(R"(^\s*(template\b[^;]*>\s*)?(class|struct|union|enum|namespace|extern)\b)");
    const Brace brace = !begins_block(statement_)              ? Brace::value
                        : std::regex_search(statement_, scope) ? Brace::scope
                                                               : Brace::block;
    if (brace != Brace::value) end_statement(at, "");
    braces_.push_back(brace);
  }

  void close_brace(std::size_t at) {
    if (braces_.empty()) return;
    const Brace brace = braces_.back();
    braces_.pop_back();
    if (brace == Brace::value) return;
    end_statement(at, "");
  }

  /// `keyword`: of the condition that the statement is, or empty.
  void end_statement(std::size_t at, const std::string& keyword) {
    const std::size_t await = std::min(statement_.find("co_await"), statement_.find("co_yield"));
    if (await != std::string::npos && (!keyword.empty() || has_temporary(statement_) || is_operand(statement_)))
      lines_.push_back(line_of(code_, begin_ + await));
    statement_.clear();
    begin_ = at + 1;
    ended_ = true;
  }

  std::string code_;
  std::vector<int> lines_;
  std::vector<Brace> braces_;
  std::vector<std::string> parentheses_;  ///< of the open ones: the keyword whose condition they hold
  std::string statement_;
  std::size_t begin_ = 0;
  bool ended_ = false;  ///< the statement, at this character
};

TEST(House, the_await_pitfall_is_seen) {
  const std::vector<std::pair<std::string, bool>> table = {
      {"Task<void> f() { co_await g(Pair{a, b}); }", true},
      {"Task<void> f() { auto x = co_await g(h, net::Request{.a = 1}); }", true},
      {"Task<void> f() { co_await g({a, b}); }", true},
      {"Task<void> f() { if (auto r = co_await g(Pair{a}); !r) { return; } }", true},
      {"Task<void> f() { co_return Pair{co_await g(), 1}; }", true},
      {"Task<void> f() { co_await spawn([x] { return x; }); }", true},
      {"Task<void> f() { co_await spawn(a, [&](int y) { return y; }); }", true},
      {"Task<void> f() { co_await g(std::array<P, 2>{a, b}); }", true},
      {"Task<void> f() { for (auto& x : co_await g(Pair{a})) use(x); }", true},
      {"Task<void> f() { if (co_await g()) co_return; }", true},
      {"class C { Task<void> f() { h(); if (a_ && !co_await g()) co_return; } int n = 0; };", true},
      {"Task<void> f() { while (true) { if (co_await g()) break; } }", true},
      {"Task<void> f() { int n = 0; while (a && co_await g()) ++n; }", true},
      {"Task<void> f() { if (auto r = co_await g(); !r) co_return; }", false},
      {"Task<void> f() { int n = 0; if (co_await g(n)) co_return; }", true},
      {"Task<void> f() { for (const auto& x : all) if (!co_await g(x)) co_return; }", true},
      {"Task<void> f() { for (int n = 0; co_await g(n); ++n) use(n); }", true},
      {"Task<void> f() { for (auto& x : co_await g()) use(x); }", true},
      {"Task<void> f() { switch (co_await g()) { default: break; } }", true},
      {"Task<void> f() { const bool ok = a && co_await g(); if (!ok) co_return; }", true},
      {"Task<void> f() { co_return co_await g() || a; }", true},
      {"Task<void> f() { const int n = a ? co_await g() : 0; use(n); }", true},
      {"Task<void> f() { auto&& r = co_await g(); use(r); }", false},
      {"Task<void> f() { const auto woken = co_await (timer() || socket()); use(woken); }", false},
      {"Task<void> f() { for (const auto& x : all) { if (const bool ok = co_await g(x); !ok) co_return; } }", false},
      {"Task<void> f() { if (delay > Milliseconds{0}) co_await pause(delay); }", false},
      {"Task<void> f() { Pair p{a, b}; co_await g(std::move(p)); }", false},
      {"auto f() -> Task<void> { co_await g(std::string_view{a}); }", false},
      {"Task<void> f() { if (g(x[0])) { y = {1, 2}; } else { co_await h(x[1]); } }", false},
      {"Task<void> f() { auto run = [&]() -> Task<int> { co_return co_await g(1'000); }; co_await run(); }", false},
      {"Task<void> f() { while (g()) { Pair p{a}; co_await use(p); } }", false},
      {"Task<void> f() { co_await g(\"Pair{a}\"); /* co_await g(Pair{a}); */ }", false},
      {"struct P { int a = 0; Task<void> f() const { co_await g(a, rows[i].b); } };", false},
  };
  for (const auto& [code, pitfall] : table) EXPECT_EQ(!AwaitPitfalls::in(code).empty(), pitfall) << code;
}

TEST(House, no_await_stands_where_the_compiler_breaks_it) {
  std::vector<std::string> wrong;
  for (const fs::path& path : sources_below({"include", "src", "tests"}))
    if (path.filename() != "house_test.cpp")
      for (const int line : AwaitPitfalls::in(read(path)))
        wrong.push_back(in_tree(path) + ":" + std::to_string(line) +
                        ": name it first (the temporary, or what the condition awaits)");
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(House, no_folder_for_what_fits_nowhere) {
  static const std::set<std::string> refused = {"util", "utils", "common", "helper", "helpers", "misc", "shared", "base"};
  std::vector<std::string> wrong;
  for (const char* top : {"include", "src", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(root / top))
      if (entry.path().string().find("node_modules") == std::string::npos &&
          (refused.count(entry.path().filename()) || refused.count(entry.path().stem())))
        wrong.push_back(in_tree(entry.path()));
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(House, names_say_what_a_thing_is) {
  static const std::regex vague(R"(\b(class|struct|enum|using)\s+(class\s+)?\w*(Manager|Helper|Utils?|Context|Info|Data)\b)");
  std::vector<std::string> wrong;
  for (const fs::path& path : sources_below({"include", "src"})) {
    const std::string code = code_only(read(path));
    for (std::sregex_iterator it(code.begin(), code.end(), vague), end; it != end; ++it)
      wrong.push_back(in_tree(path) + ":" + std::to_string(line_of(code, static_cast<std::size_t>(it->position()))) + ": " +
                      it->str());
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(House, nothing_is_put_off) {
  static const std::regex refused(R"(\b(TODO|FIXME|XXX|HACK|GTEST_SKIP|DISABLED_\w+|NOLINTBEGIN)\b|#if 0|mark\.(skip|xfail))");
  std::vector<std::string> wrong;
  for (const fs::path& path :
       files_below({"include", "src", "tests", "cmake", "config", "docs", "systemd", "dev", "README.md", "CHANGELOG.md"})) {
    if (path.filename() == "house_test.cpp" || path.filename() == "package-lock.json" || path.extension() == ".png") continue;
    std::istringstream lines(read(path));
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number)
      if (std::smatch match; line.size() < 2'000 && std::regex_search(line, match, refused))
        wrong.push_back(in_tree(path) + ":" + std::to_string(number) + ": " + match.str());
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
