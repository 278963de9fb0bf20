import { StartupError } from '../core/errors.ts';
import type { DirectoryFiles } from '../core/fleet/directory.ts';
import type { ApiOptions } from './api/options.ts';
import { answered, recordOf } from './api/pages.ts';
import { openSession } from './api/session.ts';
import type { TerminalContext } from './context.ts';
import { writeFleetFiles } from './fleet-directory.ts';
import { createProgress } from './output/progress.ts';
import { counted } from './output/text.ts';

/** The fleet of a running gateway, as a directory that can live in Git. */
export async function exportFleet(
  context: TerminalContext,
  options: ApiOptions & { readonly dir: string },
): Promise<void> {
  const { send } = await openSession(context, options);
  const progress = createProgress(context.terminal.errors);
  try {
    const answer = await answered(send, {
      path: '/export',
      received: (octets, total) => progress.at('receiving', octets, total, 'bytes'),
    });
    const { revision, files } = recordOf(answer) as { revision: unknown; files: unknown };
    if (!Number.isSafeInteger(revision) || !areFiles(files)) {
      throw new StartupError('the answer is of another form than a gateway sends: nothing was written');
    }
    await writeFleetFiles(options.dir, files, (done, total) => progress.at('writing', done, total, 'files'));
    progress.end();
    const objects = Object.keys(files).length - 1;
    context.print(`exported revision ${String(revision)} to ${options.dir}: ${counted(objects, 'object')}`);
  } finally {
    progress.end();
  }
}

function areFiles(files: unknown): files is DirectoryFiles {
  return (
    typeof files === 'object' &&
    files !== null &&
    !Array.isArray(files) &&
    Object.values(files).every((text) => typeof text === 'string')
  );
}
