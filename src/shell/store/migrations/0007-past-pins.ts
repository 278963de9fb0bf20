/**
 * What a cluster was served while it was frozen, kept when that ends: its past is answered with the same bytes as it was
 * then. `frozen_answers` has those of now.
 */
export const PAST_PINS = `
CREATE TABLE past_pins (
  cluster_id TEXT NOT NULL,
  -- The revision that ended it; the one that began it is in the cluster's own history.
  until_revision INTEGER NOT NULL,
  answers TEXT NOT NULL CHECK (json_valid(answers)),
  PRIMARY KEY (cluster_id, until_revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_pins_by_end ON past_pins (until_revision);
`;
