#include "daemon/keys_admin.h"

#include "config/scalar.h"
#include "daemon/clock.h"
#include "daemon/keys_json.h"
#include "net/app.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace fairlead::daemon {
namespace {

using KeyBody = nlohmann::ordered_json;

constexpr const char* by_admin = "admin API";

AdminAnswer told(int status, const KeyBody& body) {
  return {status, body.dump(-1, ' ', false, KeyBody::error_handler_t::replace) + "\n"};
}

Error wrong_key_request(std::string message) { return {ErrorKind::bad_request, ErrorOrigin::app, std::move(message)}; }

/// Takes a text out of the object. False: it is there, and no text.
bool take_text(KeyBody& object, const char* name, std::string& into) {
  const auto at = object.find(name);
  if (at == object.end()) return true;
  if (!at->is_string()) return false;
  into = at->get<std::string>();
  object.erase(name);
  return true;
}

AdminAnswer list_keys(const KeyDesk& desk) {
  auto used = desk.keyring.store().last_used();
  const auto snapshot = desk.snapshot();
  const KnownKeys known{snapshot.get(), desk.keyring.rows(), used ? std::move(*used) : std::map<std::string, TimePoint>()};
  return told(200, {{"keys", keys_json(known, wall_clock())}});
}

AdminAnswer made_answer(const KeyDesk& desk, const Result<MadeKey>& made) {
  if (!made) return error_answer(made.error());
  KeyBody answer{{"name", made->row.name}, {"key", made->secret}, {"hash", made->row.hash}};
  if (const auto holds = desk.changed(); !holds) answer["not_yet"] = holds.error().message();  // the secret is told only once
  return told(201, answer);
}

AdminAnswer create_key(const KeyDesk& desk, KeyBody asked) {
  StoredKey wanted;
  wanted.created_by = by_admin;
  if (!take_text(asked, "name", wanted.name) || !take_text(asked, "note", wanted.note))
    return error_answer(wrong_key_request("'name' and 'note' are texts"));
  if (!config::is_name(wanted.name, false))
    return error_answer(wrong_key_request("'name' is missing, or no name of letters, digits and . _ - @ : +"));
  for (const char* own : {"hash", "former"})
    if (asked.contains(own))
      return error_answer(wrong_key_request("'" + std::string(own) + "' is made here, and taken from nobody"));
  wanted.options = asked.dump(-1, ' ', false, KeyBody::error_handler_t::replace);
  return made_answer(desk, make_key(desk.keyring.store(), std::move(wanted), desk.load_with, wall_clock()));
}

AdminAnswer change_key(const KeyDesk& desk, const std::string& name, bool rotates, KeyBody asked) {
  std::string note, grace = "0s";
  if (!take_text(asked, "note", note) || (rotates && !take_text(asked, "grace", grace)) || !asked.empty())
    return error_answer(wrong_key_request(rotates ? "here are 'grace' and 'note', both texts" : "here is 'note', a text"));
  if (rotates) {
    const auto duration = config::parse_duration(grace);
    if (!duration) return error_answer(wrong_key_request("'grace' is no duration such as 30m or 24h"));
    const auto made = rotate_key(desk.keyring.store(), {name, by_admin, note, *duration}, wall_clock());
    if (!made) return error_answer(change_error(made.error(), desk.snapshot().get(), name, KeyChange::rotate));
    return made_answer(desk, made);
  }
  if (auto revoked = desk.keyring.store().revoke(name, wall_clock(), by_admin, note); !revoked)
    return error_answer(change_error(revoked.error(), desk.snapshot().get(), name, KeyChange::revoke));
  if (const auto holds = desk.changed(); !holds)
    return error_answer({holds.error().kind, ErrorOrigin::fairlead,
                         "it is revoked in the ledger, and still holds here: " + holds.error().message()});
  return told(200, {{"name", name}, {"state", "revoked"}});
}

}  // namespace

AdminAnswer answer_about_keys(const KeyDesk& desk, std::string_view method, std::string_view path, std::string_view body) {
  const bool whole = path == keys_path, posts = method == "POST";
  if (!posts && (!whole || (method != "GET" && method != "HEAD")))
    return error_answer(
        {ErrorKind::method_not_allowed, ErrorOrigin::app, whole ? "this path takes GET and POST" : "this path takes POST only"});
  if (!posts) return list_keys(desk);
  KeyBody asked = body.empty() ? KeyBody::object() : KeyBody::parse(body, nullptr, false);
  if (!asked.is_object()) return error_answer(wrong_key_request("a JSON object is asked for"));
  if (whole) return create_key(desk, std::move(asked));
  const std::size_t slash = path.rfind('/');
  const std::string_view action = path.substr(slash + 1);
  if (slash == keys_path.size() || (action != "revoke" && action != "rotate"))
    return error_answer(
        {ErrorKind::not_found, ErrorOrigin::app, "here are /admin/v1/keys, and NAME/revoke and NAME/rotate below it"});
  const std::string name = net::unescaped(path.substr(keys_path.size() + 1, slash - keys_path.size() - 1));
  return change_key(desk, name, action == "rotate", std::move(asked));
}

}  // namespace fairlead::daemon
