#pragma once
// Runs a command within the test, and takes what it says.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include <initializer_list>
#include <iostream>
#include <string>

namespace fairlead::test {

struct Said {
  int exit_code = 0;
  std::string out, err;
};

using AddCommand = void (*)(CLI::App& app, int& exit_code);

/// `line`: as CLI::App::parse takes it, a text or the words from the last to the first. What cannot be parsed is exit code 2.
template <class Line>
Said say(std::initializer_list<AddCommand> commands, Line line) {
  CLI::App app;
  Said said;
  for (const AddCommand add : commands) add(app, said.exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse(line);
  } catch (const CLI::ParseError& error) {
    said.exit_code = 2;
    std::cerr << error.what();
  }
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

}  // namespace fairlead::test
