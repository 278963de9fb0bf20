import { type Command, Option } from 'commander';
import type { ApiOptions } from './api-client.ts';
import type { CommandHost } from './context.ts';
import type { ImportOptions } from './import.ts';

export function registerExport(command: Command, { context }: CommandHost): void {
  apiOptions(command)
    .requiredOption('--dir <directory>', 'where to')
    .action(async (options: ApiOptions & { dir: string }) =>
      (await import('./export.ts')).exportFleet(context, options),
    );
}

export function registerImport(command: Command, { context }: CommandHost): void {
  apiOptions(command)
    .requiredOption('--dir <directory>', 'what export wrote, edited')
    .addOption(new Option('--mode <mode>').choices(['merge', 'authoritative']).makeOptionMandatory())
    .option('--yes', 'carry it out')
    .option('--plan-hash <hash>', 'the plan that was looked at, where it needs a confirmation')
    .option('--reason <text>', 'why, for GET /revisions')
    .action(async (options: ImportOptions) => (await import('./import.ts')).importFleet(context, options));
}

function apiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the gateway; API_URL when absent')
    .option('--ca <file>', "the CA of the gateway's certificate; API_CA_FILE when absent, else the system's")
    .option('--cert <file>', 'an operator certificate; API_CERT_FILE when absent')
    .option('--key <file>', 'its key; API_KEY_FILE when absent')
    .option('--token-file <file>', 'a file with a write token; API_TOKEN when absent');
}
