/**
 * Who polled what, and what clusters reported of it. Several processes write both: each row carries the version at which it was
 * last written, so that the others find what is new to them, and is merged with what is there, never written over. `document` of
 * `cluster_reports` is read when somebody looks at the cluster.
 */
export const LIVENESS = `
CREATE TABLE cluster_polls (
  cluster_dns TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL CHECK (json_valid(document)),
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX cluster_polls_by_version ON cluster_polls (version);

CREATE TABLE cluster_reports (
  cluster_dns TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL CHECK (json_valid(document)),
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX cluster_reports_by_version ON cluster_reports (version);

CREATE TABLE liveness_version (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO liveness_version (one, version) VALUES (1, 0);
`;
