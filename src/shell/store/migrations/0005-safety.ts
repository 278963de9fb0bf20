/** What frozen clusters are served, and the plans that somebody was asked to confirm. */
export const SAFETY = `
CREATE TABLE frozen_answers (
  cluster_id TEXT NOT NULL PRIMARY KEY,
  -- Kind to body, as text: byte for byte what the Flux routes answered when the cluster was frozen.
  answers TEXT NOT NULL CHECK (json_valid(answers))
) STRICT, WITHOUT ROWID;

-- Bounded in number and time by whoever writes them.
CREATE TABLE plans (
  hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
  -- The first page of the plan, as GET /plans/{hash} answers it.
  page TEXT NOT NULL CHECK (json_valid(page)),
  requested_by TEXT NOT NULL,
  -- Everybody who stands behind the request, as a list: who asked, and who made the token that it came with.
  responsible TEXT NOT NULL CHECK (json_valid(responsible)),
  requested_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  approved_by TEXT,
  approved_ms INTEGER,
  CHECK ((approved_by IS NULL) = (approved_ms IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX plans_by_expiry ON plans (expires_ms);
`;
