#pragma once
// The request that the load sends again and again.
#include <cstddef>
#include <string>
#include <vector>

struct ChatRequest {
  std::string host;  ///< address:port
  std::string path;
  std::string model;
  std::vector<std::string> headers;  ///< further ones, "Name: value"
  std::size_t body_bytes = 1024;     ///< of the body; a short one is as long as its frame
  bool stream = false;
};

/// Head and body. A body of a million bytes and more is a picture in base64, a shorter one prose with escapes.
std::string bytes_of(const ChatRequest& request);
