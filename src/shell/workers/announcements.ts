import { WORKER_LIMITS } from '../../core/limits-workers.ts';

/** Who waits until all others have taken something in. */
export interface Announcements {
  /** `from` waits for each of `to`, under a number of its own. */
  begin(from: number, ack: number, to: readonly number[]): void;
  taken(from: number, ack: number, by: number): void;
  /** Nobody waits for a worker that is gone. */
  gone(worker: number): void;
}

interface Announcement {
  readonly from: number;
  readonly ack: number;
  readonly awaited: Set<number>;
  readonly late: NodeJS.Timeout;
}

/** `done` is called once for each announcement: all have taken it in, or did not say so in time. */
export function createAnnouncements(done: (from: number, ack: number) => void): Announcements {
  const open = new Map<string, Announcement>();
  const keyOf = (from: number, ack: number): string => `${from} ${ack}`;
  const finish = ({ from, ack, late }: Announcement): void => {
    clearTimeout(late);
    open.delete(keyOf(from, ack));
    done(from, ack);
  };
  const leave = (announcement: Announcement, worker: number): void => {
    announcement.awaited.delete(worker);
    if (announcement.awaited.size === 0) finish(announcement);
  };
  return {
    begin(from, ack, to) {
      const late = setTimeout(() => finish(announcement), WORKER_LIMITS.announceTimeoutMs);
      const announcement: Announcement = { from, ack, awaited: new Set(to), late };
      open.set(keyOf(from, ack), announcement);
      if (to.length === 0) finish(announcement);
    },
    taken(from, ack, by) {
      const announcement = open.get(keyOf(from, ack));
      if (announcement?.awaited.has(by) === true) leave(announcement, by);
    },
    gone(worker) {
      for (const announcement of [...open.values()]) {
        if (announcement.from === worker) {
          clearTimeout(announcement.late);
          open.delete(keyOf(announcement.from, announcement.ack));
        } else if (announcement.awaited.has(worker)) leave(announcement, worker);
      }
    },
  };
}
