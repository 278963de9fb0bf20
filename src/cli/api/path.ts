import { StartupError } from '../../core/errors.ts';
import { shown } from '../output/text.ts';

/** What was typed, as one segment of a path, whatever it is. A URL knows no way of writing the segments `.` and `..`. */
export function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new StartupError(`${shown(JSON.stringify(text))} is no name`);
  }
  return encodeURIComponent(text);
}
