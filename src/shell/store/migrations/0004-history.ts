/**
 * Every transaction that changes the fleet is a numbered revision. Of each object that it touched, the document from before
 * is kept, so that any kept moment is one index look-up away: the first `before` after it, or the document as it is now.
 */
export const HISTORY = `
CREATE TABLE revisions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  action TEXT NOT NULL,
  request_id TEXT,
  reason TEXT,
  plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
  changes INTEGER NOT NULL
) STRICT;

-- before NULL: the object was not there.
CREATE TABLE revision_changes (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL REFERENCES revisions (number) ON DELETE CASCADE,
  before TEXT CHECK (before IS NULL OR json_valid(before)),
  PRIMARY KEY (kind, id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_changes_by_revision ON revision_changes (revision, kind, id);

-- What a request with an Idempotency-Key was answered, for when it is sent again.
CREATE TABLE answers (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (json_valid(answer)),
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_expiry ON answers (expires_ms);

-- A fleet from before there were revisions: its history begins here.
INSERT INTO revisions (at_ms, author, action, changes)
  SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), 'fluxgate', 'upgrade', 0 WHERE EXISTS (SELECT 1 FROM objects);
`;
