/** How far a write of many objects has come, told while it goes on. */

/** In the order in which a write takes them; not every write takes all. */
export const WRITE_STEPS = Object.freeze([
  /** Other writes are before it. */
  'waiting',
  /** Files of a directory. */
  'reading',
  /** Objects wanted with objects that are there. */
  'comparing',
  /** Changed objects, for what they refer to. */
  'checking',
  /** Clusters whose answers may change. */
  'planning',
  /** Changed objects. */
  'writing',
] as const);
export type WriteStep = (typeof WRITE_STEPS)[number];

/** Called for each object of many, so it does next to nothing. `total` undefined: nobody knows before the end. */
export type TellProgress = (step: WriteStep, done: number, total?: number) => void;

export const TELL_NOBODY: TellProgress = () => undefined;
