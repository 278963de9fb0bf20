/** Tokens that the gateway made, as hashes, for good: a revoked or expired token stays as history. */
export const TOKENS = `
CREATE TABLE tokens (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('cluster', 'reader', 'operator')),
  cluster_dns TEXT,
  grants TEXT CHECK (grants IS NULL OR json_valid(grants)),
  sha256 TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  revoked_by TEXT,
  CHECK ((kind = 'cluster') = (cluster_dns IS NOT NULL)),
  CHECK ((kind = 'operator') = (grants IS NOT NULL)),
  CHECK ((revoked_ms IS NULL) = (revoked_by IS NULL))
) STRICT;

CREATE INDEX tokens_by_name ON tokens (name, expires_ms) WHERE revoked_ms IS NULL;
CREATE INDEX tokens_by_expiry ON tokens (expires_ms);

-- Written apart, in batches: being used must not look like a change of who is let in.
CREATE TABLE token_uses (
  id TEXT NOT NULL PRIMARY KEY REFERENCES tokens (id),
  last_ms INTEGER NOT NULL,
  source TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What other processes look at to learn that they must read again. Triggers, so that no writer can forget it.
CREATE TABLE token_version (
  only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO token_version (only, version) VALUES (1, 0);

CREATE TRIGGER tokens_inserted AFTER INSERT ON tokens BEGIN
  UPDATE token_version SET version = version + 1;
END;
CREATE TRIGGER tokens_updated AFTER UPDATE ON tokens BEGIN
  UPDATE token_version SET version = version + 1;
END;
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN
  UPDATE token_version SET version = version + 1;
END;
`;
