#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import pino from 'pino';
import type { ApiOptions } from './cli/api-client.ts';
import type { AuditVerifyOptions } from './cli/audit.ts';
import {
  type CommandContext,
  CommandFailed,
  type LastingCommandContext,
  type ServingProcess,
} from './cli/context.ts';
import type { ImportOptions } from './cli/import.ts';
import { type ManifestOptions, manifestOptions } from './cli/manifest-options.ts';
import { StartupError } from './core/errors.ts';

/** argv, signals and exit codes: the only file that touches `process`. */

const EXIT = Object.freeze({ ok: 0, failed: 1, usage: 2, refusedToStart: 78 });

const EXIT_GRACE_MS = 1_000;

const destination = pino.destination({ dest: 1, sync: false });

const context: CommandContext = {
  environment: process.env,
  workingDirectory: process.cwd(),
  logDestination: destination,
  print: (line) => {
    process.stdout.write(`${line}\n`);
  },
};

const servingProcess: ServingProcess = {
  permission: process.permission as ServingProcess['permission'],
  userId: process.getuid?.(),
  knowsOption: (name) => process.allowedNodeEnvironmentFlags.has(name),
  replace: process.execve === undefined ? undefined : replaceProcess,
  forget(variables) {
    for (const name of variables) delete process.env[name];
  },
  keepFilesPrivate: () => void process.umask(0o077),
};

function replaceProcess(options: readonly string[]): never {
  const argv = [process.execPath, ...process.execArgv, ...options, ...process.argv.slice(1)];
  process.execve?.(process.execPath, argv, process.env);
  throw new Error('a process that was replaced goes on');
}

function lastingContext(): LastingCommandContext {
  let reload: (() => void) | undefined;
  let waiting = false;
  process.on('SIGHUP', () => {
    if (reload === undefined) waiting = true;
    else reload();
  });
  const stopSignal = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  return {
    ...context,
    host: servingProcess,
    stopSignal,
    onHangup(listener) {
      reload = listener;
      if (waiting) listener();
    },
  };
}

/** What mints keys is left out of the container image. */
async function developmentOnly<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandFailed(
      'this command is for development, and this installation has no certs-dev/',
      error,
    );
  }
}

process.on('uncaughtExceptionMonitor', (error) => {
  const line = {
    level: 'fatal',
    time: new Date().toISOString(),
    err: error.stack ?? String(error),
    msg: 'a fault ends this process',
  };
  destination.write(`${JSON.stringify(line)}\n`);
  destination.flushSync();
});

/** Modules are loaded by the command that needs them: production never loads what mints keys. */
function commands(): Command {
  const program = new Command('fluxgate')
    .description('A mutual-TLS gateway that tells Flux clusters what they should run.')
    .showHelpAfterError()
    .exitOverride();
  program
    .command('serve')
    .description('serve, configured by the environment (production)')
    .action(async () => {
      const lasting = lastingContext();
      await (await import('./cli/serve.ts')).serve(lasting);
    });
  program
    .command('healthcheck')
    .description('exit 0 if the gateway that this environment configures is ready')
    .action(async () => (await import('./cli/healthcheck.ts')).healthcheck(context));
  program
    .command('dev')
    .description('serve on https://localhost:8443 with a development PKI and a demo fleet')
    .action(async () => {
      const lasting = lastingContext();
      await (await developmentOnly(() => import('./cli/dev.ts'))).dev(lasting);
    });
  program
    .command('backup')
    .description('copy the store to a file, while the gateway runs, and check the copy')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .requiredOption('--to <file>', 'where to; must not be there')
    .action(async (options: { database?: string; to: string }) =>
      (await import('./cli/backup.ts')).backup(context, options),
    );
  program
    .command('restore')
    .description('put a backup in the place of the store; the gateway must be stopped')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .requiredOption('--from <file>', 'the backup')
    .action(async (options: { database?: string; from: string }) =>
      (await import('./cli/restore.ts')).restore(context, options),
    );
  program
    .command('demo')
    .description('a guided tour: a gateway and a small fleet, played and narrated')
    .action(async () => (await developmentOnly(() => import('./cli/demo.ts'))).demo(context));
  program
    .command('certs-dev')
    .description('mint or renew the development PKI in certs-dev/ and print a Secret for certSecretRef')
    .option('--cluster <dns>', 'the cluster whose Secret is printed; minted if it is new')
    .action(async (options: { cluster?: string }) =>
      (await developmentOnly(() => import('./cli/certs-dev.ts'))).certsDev(context, options),
    );
  const audit = program.command('audit').description('the audit trail of a store, live or not');
  audit
    .command('verify')
    .description('check that no row was changed, taken out or moved')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .option('--head <file>', 'an answer of GET /audit/head that was kept elsewhere')
    .option('--key <file>', 'the public key that the head must be signed by (PEM)')
    .action(async (options: AuditVerifyOptions) =>
      (await import('./cli/audit.ts')).auditVerify(context, options),
    );
  audit
    .command('export')
    .description('print the trail as JSON lines')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .action(async (options: { database?: string }) =>
      (await import('./cli/audit.ts')).auditExport(context, options),
    );
  const policy = program
    .command('policy')
    .description('look at the policies of POLICY_DIR, or of a directory');
  policy
    .command('check')
    .argument('[directory]', 'instead of POLICY_DIR')
    .description('hold policies against schema and openapi.yaml, as the gateway does at its start')
    .action(async (directory?: string) => (await import('./cli/policy.ts')).policyCheck(context, directory));
  policy
    .command('test')
    .argument('[directory]', 'instead of POLICY_DIR')
    .description('hold policies against the decision tables in tests/ beside them')
    .action(async (directory?: string) => (await import('./cli/policy.ts')).policyTest(context, directory));
  apiOptions(program.command('export'))
    .description('write the fleet of a running gateway into a directory of YAML')
    .requiredOption('--dir <directory>', 'where to')
    .action(async (options: ApiOptions & { dir: string }) =>
      (await import('./cli/export.ts')).exportFleet(context, options),
    );
  apiOptions(program.command('import'))
    .description('plan, and with --yes carry out, what a directory of YAML would change')
    .requiredOption('--dir <directory>', 'what export wrote, edited')
    .addOption(new Option('--mode <mode>').choices(['merge', 'authoritative']).makeOptionMandatory())
    .option('--yes', 'carry it out')
    .option('--plan-hash <hash>', 'the plan that was looked at, where it needs a confirmation')
    .option('--reason <text>', 'why, for GET /revisions')
    .action(async (options: ImportOptions) =>
      (await import('./cli/import.ts')).importFleet(context, options),
    );
  manifestOptions(apiOptions(program.command('manifests'))).action(async (options: ManifestOptions) =>
    (await import('./cli/manifests.ts')).manifests(context, options),
  );
  return program;
}

function apiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the gateway; API_URL when absent')
    .option('--ca <file>', "the CA of the gateway's certificate; API_CA_FILE when absent, else the system's")
    .option('--cert <file>', 'an operator certificate; API_CERT_FILE when absent')
    .option('--key <file>', 'its key; API_KEY_FILE when absent')
    .option('--token-file <file>', 'a file with a write token; API_TOKEN when absent');
}

async function main(): Promise<number> {
  try {
    await commands().parseAsync(process.argv);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof StartupError || error instanceof CommandFailed) {
      for (const line of error.message.split('\n')) process.stderr.write(`fluxgate: ${line}\n`);
      return error instanceof StartupError ? EXIT.refusedToStart : EXIT.failed;
    }
    process.stderr.write(
      `fluxgate: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.failed;
  }
}

process.exitCode = await main();
// The loop is empty once the log is written, in its order; should anything hold it open, the process ends all the same.
destination.end();
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
