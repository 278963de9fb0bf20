/**
 * A mention of one object by another is two numbers, not four names: of a store of 100,000 clusters two thirds were names, in a table
 * and its index. An object has a number for that, which nothing outside of the store knows; a list's name has one likewise, given when
 * it is first written, so that a new kind still needs no migration.
 */
export const NUMBERED_OBJECTS = `
CREATE TABLE numbered_objects (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  document TEXT NOT NULL CHECK (json_valid(document)),
  cluster_dns TEXT GENERATED ALWAYS AS (iif(kind = 'cluster', document ->> '$.cluster_dns', NULL)) VIRTUAL,
  environment TEXT GENERATED ALWAYS AS (document ->> '$.environment') VIRTUAL,
  component_version TEXT GENERATED ALWAYS AS (document ->> '$.component_version') VIRTUAL,
  UNIQUE (kind, id),
  CHECK (document ->> '$.id' = id),
  CHECK (kind <> 'cluster' OR cluster_dns IS NOT NULL)
) STRICT;
INSERT INTO numbered_objects (kind, id, document) SELECT kind, id, document FROM objects ORDER BY kind, id;

CREATE TABLE ref_fields (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO ref_fields (name) SELECT DISTINCT field FROM refs ORDER BY field;

CREATE TABLE numbered_refs (
  from_number INTEGER NOT NULL,
  field INTEGER NOT NULL REFERENCES ref_fields (number),
  position INTEGER NOT NULL,
  to_number INTEGER NOT NULL,
  PRIMARY KEY (from_number, field, position),
  FOREIGN KEY (from_number) REFERENCES numbered_objects (number) ON DELETE CASCADE ON UPDATE RESTRICT,
  FOREIGN KEY (to_number) REFERENCES numbered_objects (number) ON DELETE RESTRICT ON UPDATE RESTRICT
) STRICT, WITHOUT ROWID;
INSERT INTO numbered_refs (from_number, field, position, to_number)
  SELECT user.number, ref_fields.number, refs.position, target.number FROM numbered_objects AS user
  CROSS JOIN refs ON refs.from_kind = user.kind AND refs.from_id = user.id
  JOIN ref_fields ON ref_fields.name = refs.field
  LEFT JOIN numbered_objects AS target ON target.kind = refs.to_kind AND target.id = refs.to_id
  ORDER BY 1, 2, 3;

DROP TABLE refs;
DROP TABLE objects;
ALTER TABLE numbered_objects RENAME TO objects;
ALTER TABLE numbered_refs RENAME TO refs;

-- Two clusters of one name would let one POST take over the other's answer.
CREATE UNIQUE INDEX objects_by_cluster_dns ON objects (cluster_dns) WHERE cluster_dns IS NOT NULL;
CREATE INDEX objects_by_environment ON objects (kind, environment, id) WHERE environment IS NOT NULL;
CREATE INDEX objects_by_component_version ON objects (kind, component_version, id) WHERE component_version IS NOT NULL;
CREATE INDEX refs_by_target ON refs (to_number, from_number);
`;
