/**
 * One table for every kind of object, so that a new kind needs no migration; what a document mentions is in `refs`, so that
 * SQLite itself refuses a dangling reference and the removal of what is in use.
 */
export const FLEET = `
CREATE TABLE objects (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  document TEXT NOT NULL CHECK (json_valid(document)),
  cluster_dns TEXT GENERATED ALWAYS AS (iif(kind = 'cluster', document ->> '$.cluster_dns', NULL)) VIRTUAL,
  environment TEXT GENERATED ALWAYS AS (document ->> '$.environment') VIRTUAL,
  component_version TEXT GENERATED ALWAYS AS (document ->> '$.component_version') VIRTUAL,
  PRIMARY KEY (kind, id),
  CHECK (document ->> '$.id' = id),
  CHECK (kind <> 'cluster' OR cluster_dns IS NOT NULL)
) STRICT;

-- Two clusters of one name would let one POST take over the other's answer.
CREATE UNIQUE INDEX objects_by_cluster_dns ON objects (cluster_dns) WHERE cluster_dns IS NOT NULL;
CREATE INDEX objects_by_environment ON objects (kind, environment, id) WHERE environment IS NOT NULL;
CREATE INDEX objects_by_component_version ON objects (kind, component_version, id) WHERE component_version IS NOT NULL;

CREATE TABLE refs (
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  field TEXT NOT NULL,
  position INTEGER NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  PRIMARY KEY (from_kind, from_id, field, position),
  FOREIGN KEY (from_kind, from_id) REFERENCES objects (kind, id) ON DELETE CASCADE ON UPDATE RESTRICT,
  FOREIGN KEY (to_kind, to_id) REFERENCES objects (kind, id) ON DELETE RESTRICT ON UPDATE RESTRICT
) STRICT, WITHOUT ROWID;

CREATE INDEX refs_by_target ON refs (to_kind, to_id, from_kind, from_id);

-- Outlives its cluster: a name that is registered again is still read by certificate only.
CREATE TABLE ratchet (
  cluster_dns TEXT NOT NULL PRIMARY KEY,
  certificate_sha256 TEXT NOT NULL,
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
