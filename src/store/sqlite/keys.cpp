#include "store/sqlite/keys.h"

#include <utility>

namespace fairlead::sqlite {
namespace {

Error no_key(std::string_view name) {
  return {ErrorKind::not_found, ErrorOrigin::app, "the ledger has no valid key '" + std::string(name) + "'"};
}

Result<void> require_short(std::string_view note) {
  if (note.size() <= key_note_bytes_max) return {};
  return Error(ErrorKind::bad_request, ErrorOrigin::app,
               "the note has " + std::to_string(note.size()) + " bytes, and may have " + std::to_string(key_note_bytes_max));
}

std::optional<TimePoint> time_at(const Statement& row, int column) {
  const auto us = row.maybe_integer(column);
  return us ? std::optional(TimePoint(std::chrono::microseconds(*us))) : std::nullopt;
}

StoredKey read_key(const Statement& row) {
  StoredKey key;
  key.name = row.text(0);
  key.hash = row.text(1);
  key.options = row.text(2);
  key.created_at = TimePoint(std::chrono::microseconds(row.integer(3)));
  key.created_by = row.text(4);
  key.note = row.text(5);
  key.replaced_at = time_at(row, 6);
  key.ends_at = time_at(row, 7);
  key.revoked_at = time_at(row, 8);
  key.revoked_by = row.text(9);
  key.revoked_because = row.text(10);
  return key;
}

class SqliteKeys final : public KeyStore {
 public:
  explicit SqliteKeys(Database database)
      : database_(std::move(database)), version_(database_.handle(), "SELECT n FROM key_changes") {}

  Result<std::int64_t> version() override {
    const auto row = version_.bind().step();
    if (!row) return row.error();
    const std::int64_t version = *row ? version_.integer(0) : 0;
    version_.reset();  // an open reader would hold up the write-ahead log
    return version;
  }

  Result<std::vector<StoredKey>> all() override {
    Statement rows(database_.handle(),
                   "SELECT name, hash, options, created_at, created_by, note, replaced_at, ends_at, revoked_at, revoked_by, "
                   "revoked_because FROM keys ORDER BY n");
    std::vector<StoredKey> keys;
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return keys;
      keys.push_back(read_key(rows));
    }
  }

  Result<void> add(const StoredKey& key) override {
    if (auto fits = require_short(key.note); !fits) return fits;
    return database_.writing([&]() -> Result<void> {
      const auto current = options_of(key.name);
      if (!current) return current.error();
      if (*current)
        return Error(ErrorKind::bad_request, ErrorOrigin::app,
                     "the ledger has a key '" + key.name + "' already: rotate it, or revoke it first");
      return insert(key, key.options);
    });
  }

  Result<void> replace(const StoredKey& fresh, TimePoint ends_at) override {
    if (auto fits = require_short(fresh.note); !fits) return fits;
    return database_.writing([&]() -> Result<void> {
      const auto current = options_of(fresh.name);
      if (!current) return current.error();
      if (!*current) return no_key(fresh.name);
      Statement end(
          database_.handle(),
          "UPDATE keys SET replaced_at = coalesce(replaced_at, ?1), ends_at = ?2 WHERE name = ?3 AND revoked_at IS NULL AND "
          "(replaced_at IS NULL OR ends_at > ?2)");
      if (auto done = end.run(fresh.created_at, ends_at, std::string_view(fresh.name)); !done) return done;
      return insert(fresh, **current);
    });
  }

  Result<void> revoke(std::string_view name, TimePoint at, std::string_view by, std::string_view because) override {
    if (auto fits = require_short(because); !fits) return fits;
    return database_.writing([&]() -> Result<void> {
      Statement end(database_.handle(),
                    "UPDATE keys SET revoked_at = ?1, revoked_by = ?2, revoked_because = ?3 "
                    "WHERE name = ?4 AND revoked_at IS NULL AND (replaced_at IS NULL OR ends_at > ?1)");
      if (auto done = end.run(at, by, because, name); !done) return done;
      if (sqlite3_changes(database_.handle()) == 0) return no_key(name);
      return {};
    });
  }

  Result<std::map<std::string, TimePoint>> last_used() override {
    Statement rows(database_.handle(),
                   "SELECT a.key, max(l.started_at) FROM (SELECT ask, started_at FROM lines ORDER BY n DESC LIMIT 50000) l "
                   "JOIN asks a ON a.id = l.ask GROUP BY a.key");
    std::map<std::string, TimePoint> used;
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return used;
      used.emplace(rows.text(0), TimePoint(std::chrono::microseconds(rows.integer(1))));
    }
  }

 private:
  /// Of the current secret; empty: there is none.
  Result<std::optional<std::string>> options_of(std::string_view name) {
    Statement current(database_.handle(),
                      "SELECT options FROM keys WHERE name = ?1 AND replaced_at IS NULL AND revoked_at IS NULL");
    const auto row = current.bind(name).step();
    if (!row) return row.error();
    return *row ? std::optional(current.text(0)) : std::nullopt;
  }

  Result<void> insert(const StoredKey& key, const std::string& options) {
    Statement insert(database_.handle(),
                     "INSERT INTO keys (name, hash, options, created_at, created_by, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    return insert.run(std::string_view(key.name), std::string_view(key.hash), std::string_view(options), key.created_at,
                      std::string_view(key.created_by), std::string_view(key.note));
  }

  Database database_;
  Statement version_;
};

}  // namespace

std::unique_ptr<KeyStore> make_key_store(Database database) { return std::make_unique<SqliteKeys>(std::move(database)); }

}  // namespace fairlead::sqlite
