import { StartupError } from '../core/errors.ts';
import { type DirectoryFiles, MARKER } from '../core/fleet/directory.ts';
import { refusalOf } from './api/failures.ts';
import { answered, recordOf } from './api/pages.ts';
import { openSession } from './api/session.ts';
import type { SendRequest } from './api/transport.ts';
import { CommandFailed, type TerminalContext } from './context.ts';
import type { ExportOptions } from './directory.ts';
import { EXIT } from './exit-codes.ts';
import { type PresentExport, presentExport, writeFleetFiles } from './fleet-directory.ts';
import { createProgress } from './output/progress.ts';
import { counted, shown } from './output/text.ts';

const NAMED_MAX = 10;

/** The fleet of a running gateway, as a directory that can live in Git. */
export async function exportFleet(context: TerminalContext, options: ExportOptions): Promise<void> {
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
    if (options.yes !== true) await assertOwnExport(send, options.dir, files);
    await writeFleetFiles(options.dir, files, (done, total) => progress.at('writing', done, total, 'files'));
    progress.end();
    const objects = Object.keys(files).length - 1;
    context.print(`exported revision ${String(revision)} to ${options.dir}: ${counted(objects, 'object')}`);
  } finally {
    progress.end();
  }
}

/** What is in the directory may be nowhere else: another fleet's export is left as it is. Throws CommandFailed, as an import is refused. */
async function assertOwnExport(send: SendRequest, dir: string, files: DirectoryFiles): Promise<void> {
  const present = await presentExport(dir);
  // Objects without a marker are no export at all, and never written over.
  if (present.objects.length === 0 || !present.hasMarker) return;
  const stranger = await whyAnothers(send, present, files);
  if (stranger === undefined) return;
  const gone = present.objects.filter((path) => !(path in files));
  const more = gone.length - NAMED_MAX;
  const named = `${gone.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const kept = present.objects.length - gone.length;
  throw new CommandFailed(
    shown(
      `${dir}: ${stranger}: is it another fleet's export? Nothing was written. ` +
        `Export would delete ${counted(gone.length, 'file')} there${gone.length > 0 ? ` (${named})` : ''} and write over ${kept}: ` +
        'name another --dir, or export with --yes',
    ),
    undefined,
    EXIT.invalid,
  );
}

async function whyAnothers(
  send: SendRequest,
  { objects, revision }: PresentExport,
  files: DirectoryFiles,
): Promise<string | undefined> {
  if (revision === undefined) return `${MARKER} is not as fluxgate export wrote it`;
  const known = await send({ path: `/revisions/${revision}`, query: { limit: 1 } });
  if (known.status === 404 || known.status === 400) {
    return `${MARKER} names revision ${revision}, which this fleet does not know`;
  }
  if (known.status !== 200) throw refusalOf(known);
  return objects.some((path) => path in files) ? undefined : 'this fleet has none of its objects';
}

function areFiles(files: unknown): files is DirectoryFiles {
  return (
    typeof files === 'object' &&
    files !== null &&
    !Array.isArray(files) &&
    Object.values(files).every((text) => typeof text === 'string')
  );
}
