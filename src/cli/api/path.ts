import { StartupError } from '../../core/errors.ts';
import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { shown } from '../output/text.ts';

/** What was typed, as one segment of a path, whatever it is. A URL knows no way of writing the segments `.` and `..`. */
export function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new StartupError(`${shown(JSON.stringify(text))} is no name`);
  }
  return encodeURIComponent(text);
}

/** Of what has no name to be called by: `start` of its ids, and the command that lists them. Throws CommandFailed for anything else. */
export function assertId(text: string, start: string, list: string): void {
  if (text.startsWith(start)) return;
  throw new CommandFailed(
    `${shown(text)} is no id: name it by its id, ${start}… (fluxgate ${list})`,
    undefined,
    EXIT.notFound,
  );
}
