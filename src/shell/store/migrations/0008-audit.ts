/**
 * Append-only: triggers refuse what no statement of ours does, so that a mistake in one cannot rewrite the past. Whoever has the
 * file can drop a trigger; the chain of hashes is what shows it (core/audit/chain.ts).
 */
export const AUDIT = `
CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  document TEXT NOT NULL CHECK (json_valid(document)),
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  at TEXT GENERATED ALWAYS AS (document ->> '$.at') VIRTUAL,
  event TEXT GENERATED ALWAYS AS (document ->> '$.event') VIRTUAL,
  principal TEXT GENERATED ALWAYS AS (document ->> '$.actor.principal') VIRTUAL,
  object TEXT GENERATED ALWAYS AS (document ->> '$.object') VIRTUAL,
  operation TEXT GENERATED ALWAYS AS (document ->> '$.operation') VIRTUAL,
  request_id TEXT GENERATED ALWAYS AS (document ->> '$.request_id') VIRTUAL
) STRICT;

CREATE INDEX audit_by_event ON audit (event, sequence);
CREATE INDEX audit_by_principal ON audit (principal, sequence);
CREATE INDEX audit_by_object ON audit (object, sequence) WHERE object IS NOT NULL;
CREATE INDEX audit_by_request ON audit (request_id) WHERE request_id IS NOT NULL;

CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit BEGIN
  SELECT raise(ABORT, 'the audit trail is append-only');
END;
`;
