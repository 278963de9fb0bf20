/** The reading SQL of who mentions whom, as far as several need it. Objects are numbers there (migrations/0011-numbered-objects.ts). */

/** Who mentions the object (kind, id), each once. */
export const USERS = `SELECT DISTINCT from_number FROM refs
  WHERE to_number = (SELECT number FROM objects WHERE kind = ? AND id = ?)`;

/**
 * The clusters that assign an object (kind, id), in the order of their numbers, those after one of these numbers. No cluster assigns one
 * object twice, so that no row comes twice.
 */
const usingClusters = (after: string): string =>
  `FROM refs CROSS JOIN objects AS user ON user.number = refs.from_number AND user.kind = 'cluster'
  WHERE refs.to_number = (SELECT number FROM objects WHERE kind = ? AND id = ?)
  AND refs.from_number > ${after} ORDER BY refs.from_number LIMIT ?`;

/** After a number (0: none is before it): for pages of different moments, as a cluster that is deleted and made anew has another one. */
export const USING_CLUSTERS = usingClusters('?');

/** After a cluster (id): for pages of one moment. */
export const USING_CLUSTERS_AFTER_ID = usingClusters(
  "coalesce((SELECT number FROM objects WHERE kind = 'cluster' AND id = ?), 0)",
);
