import { StartupError } from '../../core/errors.ts';
import { CommandFailed } from '../context.ts';
import { counted, shown } from '../output/text.ts';
import type { WriteOptions } from '../writes/options.ts';

/** Objects that are named at the end of a failure; of more it is said how many there are. */
const NAMED_MAX = 10;

/** One of the objects of a command, each of which is a transaction of its own. */
export interface Turn<T> {
  readonly object: T;
  /** kind/id */
  readonly name: string;
  /** undefined: the command line names it. */
  readonly file?: string | undefined;
}

/**
 * `write` resolves with whether anything was written. Where it fails, the failure is told with the object, and with how far the
 * command came: what was written before stays. Of --diff all of them are shown before it is told that something is different.
 */
export async function oneByOne<T>(
  turns: readonly Turn<T>[],
  write: (turn: Turn<T>) => Promise<boolean>,
): Promise<void> {
  const written: string[] = [];
  let different = false;
  for (const [index, turn] of turns.entries()) {
    try {
      if (await write(turn)) written.push(turn.name);
    } catch (error) {
      if (!(error instanceof CommandFailed || error instanceof StartupError)) throw error;
      if (error.message === '') {
        different = true;
        continue;
      }
      const rest = turns.slice(index + 1).map(({ name }) => name);
      const text = told(turn, error.message, turns.length > 1 ? progressText(written, rest) : undefined);
      if (error instanceof StartupError) throw new StartupError(text, error);
      throw new CommandFailed(text, error, error.exitCode);
    }
  }
  if (different) throw new CommandFailed('');
}

/** Throws StartupError: one key would make all objects but the first pass for repetitions of it. */
export function assertKeyIsOfOne({ idempotencyKey }: WriteOptions, count: number): void {
  if (idempotencyKey === undefined || count <= 1) return;
  throw new StartupError(
    `--idempotency-key names one request, and here are ${count} objects, each in a request of its own: leave it out, or send them one by one`,
  );
}

function told<T>({ name, file }: Turn<T>, message: string, progress: string | undefined): string {
  // Alone and without a file it stands on the command line.
  const lead = file === undefined ? (progress === undefined ? '' : `${name}: `) : `${file}, ${name}: `;
  return `${shown(lead)}${message}${progress === undefined ? '' : `\n${progress}`}`;
}

function progressText(written: readonly string[], rest: readonly string[]): string {
  const before =
    written.length === 0 ? 'nothing was written before that' : `written before that: ${names(written)}`;
  return rest.length === 0 ? before : `${before}; not tried: ${names(rest)}`;
}

function names(all: readonly string[]): string {
  const more = all.length - NAMED_MAX;
  const named = all.slice(0, NAMED_MAX).map(shown).join(', ');
  return more > 0 ? `${named} and ${counted(more, 'more', 'more')}` : named;
}
