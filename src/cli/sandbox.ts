import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Config } from '../core/config.ts';
import type { Environment } from '../core/config-names.ts';
import { StartupError } from '../core/errors.ts';
import { COMPILE_CACHE } from '../shell/compile-cache.ts';
import {
  allocatorVariables,
  assertSandboxed,
  dropBeforeListening,
  dropNetwork,
  dropThreads,
  type Grants,
  grantsOf,
  opensslOptions,
  SANDBOX_OPTIONS_NEEDED,
  sandboxOptions,
} from '../shell/sandbox.ts';
import { SHIPPED_POLICY_DIR, watchedPaths } from '../shell/snapshot-files.ts';
import { type FileCheck, startFileCheck } from '../shell/store/check-file.ts';
import { parseDatabaseUrl } from '../shell/store/database-url.ts';
import { makeStoreFile } from '../shell/store/store-file.ts';
import type { LastingCommandContext, ServingProcess } from './context.ts';

export interface Sandbox {
  /** Of the store's file, which goes on; undefined: it has not begun. */
  readonly storeCheck: FileCheck | undefined;
  /** What the log has to say of it. */
  readonly warnings: readonly string[];
  /** To be called once everything is open that a start opens but its ports. */
  beforeListening(): void;
  /** To be called once they are open, too. */
  afterStart(): void;
}

const SECRETS = ['AUTH_TOKEN', 'CRUD_AUTH_TOKEN'] as const;

/**
 * Called before anything is opened: the first time it does not return but starts the process anew, in its sandbox; there it
 * returns. undefined: the process was told to stop meanwhile. Throws StartupError where the sandbox cannot be had and
 * SANDBOX=off does not say that this is meant.
 */
export async function enterSandbox(
  context: LastingCommandContext,
  config: Config,
  readToo: readonly string[] = [],
): Promise<Sandbox | undefined> {
  const { host, workingDirectory } = context;
  refuseRoot(host, config);
  const grants = config.sandbox ? grantsOf(config, workingDirectory, readToo) : undefined;
  const { permission } = host;
  if (grants !== undefined && permission === undefined) {
    const replace = replacementOf(context, config, grants);
    // A signal that came is a signal kept: the process that follows knows nothing of it.
    if (await toldToStop(context)) return undefined;
    replace();
  }
  // The one thread that there ever is reads the store's file; no other file is opened before the sandbox is known to stand.
  const storeCheck = checkApart(context, config);
  if (grants !== undefined && permission !== undefined) {
    dropThreads(permission);
    assertSandboxed(permission, grants);
  }
  const warnings = [...(grants?.notes ?? [])];
  if (host.userId === 0) warnings.push('running as root: give the gateway a user of its own');
  if (!config.sandbox)
    warnings.push('SANDBOX=off: this process may read, write and start whatever its user may');
  host.forget(SECRETS);
  host.keepFilesPrivate();
  return {
    storeCheck,
    warnings,
    beforeListening() {
      if (grants !== undefined && permission !== undefined) dropBeforeListening(permission, grants);
    },
    afterStart() {
      if (grants !== undefined && permission !== undefined) dropNetwork(permission, config);
    },
  };
}

async function toldToStop({ stopSignal }: LastingCommandContext): Promise<boolean> {
  const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
  return (await Promise.race([stopSignal, turn])) !== undefined;
}

/** All that takes any time is done when it returns. */
function replacementOf(
  { host, environment }: LastingCommandContext,
  config: Config,
  grants: Grants,
): () => never {
  const { replace } = host;
  if (replace === undefined) throw unavailable();
  const options = optionsOf(host, config, grants, environment);
  // What this process had to compile is there for the next one: Node would keep it when it ends, and this one does not.
  flushCompileCache();
  return () => replace(options, servingVariables(environment));
}

/** What a process that serves finds in its environment besides; whatever is there already stays. */
export function servingVariables(environment: Environment): Readonly<Record<string, string>> {
  const cache = environment['NODE_COMPILE_CACHE'] ?? COMPILE_CACHE;
  return { NODE_COMPILE_CACHE: cache, ...allocatorVariables(environment) };
}

/** The thread is given no secret, nor anything else that it does not need. */
function checkApart({ host, environment }: LastingCommandContext, config: Config): FileCheck | undefined {
  if (host.permission?.has('worker') === false) return undefined;
  const { NODE_COMPILE_CACHE: cache } = environment;
  return startFileCheck(config.databaseUrl, cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }, {
    trustsSeals: host.channel === undefined,
  });
}

/** Of a Node that serves in this sandbox; makes the store's file, which could not be made in there. Throws StartupError. */
export function optionsOf(
  host: ServingProcess,
  config: Config,
  grants: Grants,
  environment: Environment,
): readonly string[] {
  if (!SANDBOX_OPTIONS_NEEDED.every((name) => host.knowsOption(name))) throw unavailable();
  const location = parseDatabaseUrl(config.databaseUrl);
  // What is missing is a refusal to start, which leaves nothing behind.
  const complete = watchedPaths(config, SHIPPED_POLICY_DIR).files.every((path) => existsSync(path));
  if (!location.memory && complete) makeStoreFile(location.path);
  return [...sandboxOptions(grants), ...opensslOptions(environment, host.nodeOptions)];
}

const unavailable = (): StartupError =>
  new StartupError(
    'SANDBOX: this system or this Node has none (Node 26 on Linux or macOS does): SANDBOX=off serves without',
  );

export function refuseRoot(host: ServingProcess, config: Config): void {
  if (host.userId === 0 && config.production && !config.allowRoot) {
    throw new StartupError(
      'NODE_ENV=production and the user is root: use another user, or set ALLOW_ROOT=on',
    );
  }
}
