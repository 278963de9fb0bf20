import { enterSandbox } from '../../../src/cli/sandbox.ts';
import { parseConfig } from '../../../src/core/config.ts';
import { readPinsAhead } from '../../../src/shell/store/pins-ahead.ts';

/**
 * Run by check-file.test.ts in a sandbox, with the environment of a gateway: says whether the check of the store's file was still
 * going on when its pins had been read.
 */
const AMIDST_MS = 300;
const config = parseConfig(process.env);
const context = {
  environment: process.env,
  workingDirectory: process.cwd(),
  host: {
    permission: process.permission,
    forget: () => undefined,
    keepFilesPrivate: () => undefined,
  },
};
const sandbox = await enterSandbox(context as unknown as Parameters<typeof enterSandbox>[0], config, [
  import.meta.dirname,
]);
let problem: unknown = 'still going on';
void sandbox?.storeCheck?.then((found) => {
  problem = found;
});
await new Promise((resolve) => setTimeout(resolve, AMIDST_MS));
const ahead = readPinsAhead(config.databaseUrl);
await ahead.finished();
const read = ahead.take()?.length;
// What the thread has told meanwhile arrives in these turns.
await new Promise((resolve) => setTimeout(resolve, AMIDST_MS));
process.stdout.write(`${JSON.stringify({ read, check: problem })}\n`);
process.exit();
