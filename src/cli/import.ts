import { recordOf } from './api/pages.ts';
import { openSession } from './api/session.ts';
import type { TerminalContext } from './context.ts';
import { readFleetFiles } from './fleet-directory.ts';
import { tellOutcome } from './objects/bulk.ts';
import { createProgress } from './output/progress.ts';
import { carryOut } from './writes/carry-out.ts';
import type { WriteOptions } from './writes/options.ts';

export interface ImportOptions extends WriteOptions {
  readonly dir: string;
  readonly mode: string;
}

/** Shows the plan; with --yes, or a yes, carries it out. A plan that takes something away also needs its hash. */
export async function importFleet(context: TerminalContext, options: ImportOptions): Promise<void> {
  const progress = createProgress(context.terminal.errors);
  const files = await readFleetFiles(options.dir, (done, total) =>
    progress.at('reading', done, total, 'files'),
  );
  progress.end();
  const answer = await carryOut(
    context,
    await openSession(context, options),
    {
      request: { method: 'POST', path: '/import', body: { mode: options.mode, files } },
      creates: true,
      reason: true,
      planFirst: true,
      tellsProgress: true,
      what: `the gateway compares ${Object.keys(files).length} files`,
    },
    options,
  );
  if (answer !== undefined) tellOutcome(context, recordOf(answer), options, 'imported');
}
