/** What operators revoked, for good: a lifted or expired revocation stays as history. */
export const REVOCATIONS = `
CREATE TABLE revocations (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  target TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  until_ms INTEGER,
  lifted_ms INTEGER,
  lifted_by TEXT,
  CHECK ((lifted_ms IS NULL) = (lifted_by IS NULL))
) STRICT;

CREATE INDEX revocations_not_lifted ON revocations (sequence) WHERE lifted_ms IS NULL;

-- Counted apart, in batches: counting must not look like a change of what is revoked.
CREATE TABLE revocation_attempts (
  id TEXT NOT NULL PRIMARY KEY REFERENCES revocations (id),
  attempts INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What other processes look at to learn that they must read again. Triggers, so that no writer can forget it.
CREATE TABLE revocation_version (
  only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO revocation_version (only, version) VALUES (1, 0);

CREATE TRIGGER revocations_inserted AFTER INSERT ON revocations BEGIN
  UPDATE revocation_version SET version = version + 1;
END;
CREATE TRIGGER revocations_updated AFTER UPDATE ON revocations BEGIN
  UPDATE revocation_version SET version = version + 1;
END;
CREATE TRIGGER revocations_deleted AFTER DELETE ON revocations BEGIN
  UPDATE revocation_version SET version = version + 1;
END;
`;
