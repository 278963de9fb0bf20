/**
 * Who was last seen with which credential, and which key each cluster's identity belongs to. Both outlive their cluster's
 * registration: an identity that is registered again has the same history. Intermediates are the same for whole fleets, so
 * their octets are kept once.
 */
export const SIGHTINGS = `
CREATE TABLE sightings (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  credential TEXT NOT NULL,
  document TEXT NOT NULL CHECK (json_valid(document)),
  leaf BLOB,
  PRIMARY KEY (kind, name, credential)
) STRICT;

CREATE TABLE presented_issuers (
  sha256 TEXT NOT NULL PRIMARY KEY,
  der BLOB NOT NULL
) STRICT;

CREATE TABLE key_pins (
  cluster_dns TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL CHECK (json_valid(document))
) STRICT;
`;
