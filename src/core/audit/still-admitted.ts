/**
 * Throws unless whoever asked for a write is still who they were when they asked. A write may wait for its turn for longer than it
 * takes to revoke its author, so it is asked inside the write's own transaction; it asks nothing of the store. Absent: nobody asked.
 */
export type StillAdmitted = () => Promise<void>;
