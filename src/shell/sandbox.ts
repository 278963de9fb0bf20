import { accessSync, realpathSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../core/config.ts';
import { StartupError } from '../core/errors.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { SHIPPED_POLICY_DIR, watchedPaths } from './snapshot-files.ts';
import { parseDatabaseUrl } from './store/database-url.ts';

/** Node's `process.permission`, there only under the permission model. */
export interface Permission {
  has(scope: string, reference?: string): boolean;
  drop(scope: string, reference?: string): void;
}

/** Absolute paths; a directory stands for all that is in it, and a `*` at the end for all that begins so. */
export interface Grants {
  /** What is read as long as the gateway serves: its own code, and what a reload reads. */
  readonly read: readonly string[];
  /** What only a start reads. */
  readonly readAtStart: readonly string[];
  readonly writeAtStart: readonly string[];
  /** Where more stays readable than is needed, for the log: what it is, and what to do. */
  readonly notes: readonly string[];
}

/** What the kernel says of this very process, for its metrics: sizes and limits, no octet of its memory. */
const OF_ITSELF: readonly string[] = ['/proc/self/status', '/proc/self/limits'];

const INSTALLATION = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What the environment says that the gateway needs, and nothing else. The permission model compares paths as they are written, so
 * a file whose symlink is swapped (Kubernetes) stays readable, and so does whatever it points to.
 * `readToo`: directories that a start reads besides. Throws StartupError for a path that cannot be said in a grant.
 */
export function grantsOf(config: Config, workingDirectory: string, readToo: readonly string[] = []): Grants {
  const plain = (path: string): string => {
    if (path.includes('*')) {
      throw new StartupError(
        `${path}: a "*" in a path would be a pattern in the sandbox: rename it, or SANDBOX=off`,
      );
    }
    return resolve(workingDirectory, path);
  };
  const watched = watchedPaths(config, SHIPPED_POLICY_DIR);
  const location = parseDatabaseUrl(config.databaseUrl);
  const store = location.memory ? undefined : plain(location.path);
  const modules = join(INSTALLATION, 'node_modules');
  const directories = [
    ...[join(INSTALLATION, 'src'), modules, realpathSync(modules)],
    ...[...watched.directories, ...readToo].map(plain),
  ];
  const files = [
    ...OF_ITSELF,
    ...[join(INSTALLATION, 'package.json'), join(INSTALLATION, 'openapi.yaml')],
    ...watched.files.map(plain),
  ];
  const once = [config.seedFile, config.auditSigningKeyFile].filter((path) => path !== undefined).map(plain);
  const data = store === undefined ? [] : [dirname(store)];
  const lasting = apart([...directories, ...data], files);
  const all = apart([...directories, ...data], [...files, ...once]);
  // Where files of trust lie beside the store, its directory has to stay readable.
  const shared = data.filter((one) => [...directories, ...files].some((path) => within(path, one)));
  const atStart = new Set(
    [...once, ...data].filter((path) => ![...files, ...directories, ...shared].includes(path)),
  );
  const read = lasting.filter((path) => !atStart.has(path));
  return {
    read,
    readAtStart: all.filter((path) => atStart.has(path)),
    // The store's file, and the backup that an upgrade leaves beside it.
    writeAtStart: [...(store === undefined ? [] : [`${store}*`]), COMPILE_CACHE],
    notes: [
      ...widenedBy([...directories, ...data], [...files, ...once]),
      ...keptBy(read, config.auditSigningKeyFile, plain),
    ],
  };
}

function widenedBy(directories: readonly string[], files: readonly string[]): readonly string[] {
  return [...new Set(directories)].flatMap((directory) => {
    const granted = unlike(directory, [...directories, ...files]);
    if (granted === directory) return [];
    return [
      `SANDBOX: all of ${granted} stays readable, for another name in it begins with that of ${directory}: give it one that no other begins with`,
    ];
  });
}

/** What lies in a granted directory cannot be taken from it again. */
function keptBy(
  read: readonly string[],
  key: string | undefined,
  plain: (path: string) => string,
): readonly string[] {
  const path = key === undefined ? undefined : plain(key);
  const directory = path === undefined ? undefined : read.find((one) => within(path, one));
  if (directory === undefined) return [];
  return [
    `SANDBOX: ${path} stays readable, for it is in ${directory}: move AUDIT_SIGNING_KEY_FILE to a directory of its own`,
  ];
}

const within = (path: string, directory: string): boolean => path.startsWith(join(directory, '/'));

/**
 * Node (26.10) refuses a granted directory itself, though not what is in it, where another grant lies below it or begins with its
 * name (`crl` and `crl.pem`). So what lies in a granted directory is not granted again, and where names begin alike the
 * directory above is granted for both: `notes` says so.
 */
export function apart(directories: readonly string[], files: readonly string[]): readonly string[] {
  const widened = new Set(directories.map((directory) => unlike(directory, [...directories, ...files])));
  if (widened.has('/'))
    throw new StartupError('SANDBOX: "/" cannot be granted: give each directory a name of its own');
  const paths = [...widened, ...new Set(files)];
  return paths.filter((path) => ![...widened].some((directory) => within(path, directory)));
}

/** The directory itself or the first one above it whose name no other path begins with. */
function unlike(directory: string, paths: readonly string[]): string {
  const alike = paths.some(
    (path) => path !== directory && path.startsWith(directory) && !within(path, directory),
  );
  return alike ? unlike(dirname(directory), paths) : directory;
}

/** The options of a Node that has the grants and no more: no process, worker, debugger, WASI or foreign function. */
export function sandboxOptions(grants: Grants): readonly string[] {
  return [
    '--permission',
    '--allow-net',
    // For better-sqlite3; given up once it is loaded.
    '--allow-addons',
    // For the thread that checks the store's file; given up as soon as it has started.
    '--allow-worker',
    ...[...grants.read, ...grants.readAtStart].map((path) => `--allow-fs-read=${path}`),
    ...grants.writeAtStart.map((path) => `--allow-fs-write=${path}`),
    '--disable-sigusr1',
    '--disable-proto=delete',
    // Node's own SQLite opens any file, permission or not.
    '--no-experimental-sqlite',
    // That addons and threads weaken the model, and that --allow-net is young, is known: docs/decisions/sandbox.md.
    '--disable-warning=PERM0001',
    '--disable-warning=PERM0006',
    '--disable-warning=ExperimentalWarning',
    ...ENGINE_OPTIONS,
  ];
}

/**
 * Cedar is WebAssembly, of which a start runs much once. V8 validates all of it and then compiles anew, on other threads and with all
 * optimisations, what has run for a millisecond or two: a third of a start's CPU time, and 40 MiB that stay. So what is not called is not
 * looked at, and what has run for long enough to be worth it is optimised.
 * The room for young objects is 16 MiB, twice, and not 32: a fleet's first polls would enlarge it for ever, and what is not collected
 * keeps native memory besides, of buffers and certificates. 4 MiB would cost each poll a tenth more in collections. And all memory is
 * collected once what has lived for long is a fifth more, whatever V8 makes of how busy the machine is.
 * V8 would collect once more, to give memory back, when a process has had little to do for some minutes, which for it are ten polls a second.
 * No connection is open in such a moment: the shapes of sockets and requests are forgotten, and all code that was optimised for them
 * (trace-deopt: "embedded weak objects cleared", 300 functions), and for the next thousands of polls each costs a fifth more.
 * Node gives V8 four threads to collect and compile on. Where there is no core for them, as in a container with one or beside other workers,
 * the thread that serves is left a fifth of its own, and polls wait in line for a tenth of a second; beside one thread it has half.
 * What is called once for each poll is optimised in full after 800 calls, not 3,000: of three processes each, after 19,000 polls, one costs
 * 2.7 % less.
 * A start makes 60 MiB that live for as long as the gateway: with that room from the beginning nothing of them is collected on the way.
 */
export const ENGINE_OPTIONS: readonly string[] = [
  '--wasm-lazy-validation',
  '--wasm-tiering-budget=1000000000',
  '--max-semi-space-size=16',
  '--min-semi-space-size=16',
  '--initial-old-space-size=64',
  '--heap-growing-percent=20',
  '--no-memory-reducer',
  '--v8-pool-size=1',
  '--invocation-count-for-turbofan=800',
];

/**
 * A handshake takes and gives back some thousand small pieces of memory. glibc keeps 7 of a size at hand, and sorts what is more
 * into its lists each time; 500 are at most 17 MiB. And it gives each thread pieces of its own to begin with, of which V8's, which compile and
 * collect, leave some 16 MiB behind for ever: one for all of them. What is as large as the 64 KiB out of which Node cuts its buffers is mapped by
 * itself and given back: glibc would by and by take ever larger pieces from its heap, which after 30,000 clusters' first polls is half
 * holes, 60 MiB of them. Whoever has set something of their own keeps it; other C libraries do not look at it (glibc's manual: Memory
 * Allocation Tunables).
 */
export function allocatorVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return environment['GLIBC_TUNABLES'] === undefined
    ? { GLIBC_TUNABLES: TUNABLES.map((one) => `glibc.malloc.${one}`).join(':') }
    : {};
}

const TUNABLES: readonly string[] = [
  'tcache_count=500',
  'arena_max=1',
  `mmap_threshold=${64 * 1_024}`,
  // What is free at the end of the heap: to set the one is to have 128 KiB of the other, and a system call for every few polls.
  `trim_threshold=${2 * 1_024 * 1_024}`,
];

const OPENSSL_CONFIG = join(INSTALLATION, 'src/shell/tls/openssl.cnf');
/** Node takes an underscore for each dash of a name. */
const NAMES_A_CONFIG = /--openssl[-_](?:shared[-_])?config\b/;

/** By which OpenSSL makes no session tickets (docs/decisions/no-tickets.md); none where it is configured already, by whoever starts this. */
export function opensslOptions(
  environment: Readonly<Record<string, string | undefined>>,
  nodeOptions: readonly string[],
): readonly string[] {
  const given = [environment['NODE_OPTIONS'] ?? '', ...nodeOptions];
  const isConfigured =
    environment['OPENSSL_CONF'] !== undefined || given.some((options) => NAMES_A_CONFIG.test(options));
  return isConfigured ? [] : [`--openssl-config=${OPENSSL_CONFIG}`];
}

/** What would have to be known to a Node that can run the gateway in its sandbox. */
export const SANDBOX_OPTIONS_NEEDED: readonly string[] = ['--permission', '--allow-net', '--disable-sigusr1'];

const NEVER_GRANTED = ['child', 'worker', 'wasi', 'inspector', 'ffi', 'fs.read', 'fs.write'] as const;

/**
 * Throws StartupError unless the sandbox stands: nothing more is granted than should be (as NODE_OPTIONS could), and what is not
 * granted is refused (which it is not where the permission model only audits).
 */
export function assertSandboxed(permission: Permission, grants: Grants): void {
  const granted = NEVER_GRANTED.filter((scope) => permission.has(scope));
  if (granted.length > 0) {
    throw new StartupError(
      `SANDBOX: the process was given ${granted.join(', ')}: look for --allow-… in NODE_OPTIONS, or set SANDBOX=off`,
    );
  }
  if (!isRefused('/')) {
    throw new StartupError(
      'SANDBOX: nothing is refused: look for --permission-audit in NODE_OPTIONS, or set SANDBOX=off',
    );
  }
  const missing = grants.read.find((path) => !permission.has('fs.read', path));
  if (missing !== undefined) {
    throw new StartupError(`SANDBOX: ${missing} cannot be granted: move it, or set SANDBOX=off`);
  }
}

function isRefused(path: string): boolean {
  try {
    accessSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
  }
}

/** Gives up threads, for good: the one that was started goes on with the rights that it has. `assertSandboxed` looks whether it is so. */
export function dropThreads(permission: Permission): void {
  permission.drop('worker');
}

/**
 * Gives up, for good, what only a start needs: loading native code, writing files, and the files that are read once. SQLite's
 * open files are not touched. To be called before the gateway listens: no octet that came over the network is looked at with these rights.
 */
export function dropBeforeListening(permission: Permission, grants: Grants): void {
  // What this start had to compile is there for the next one.
  flushCompileCache();
  permission.drop('addon');
  permission.drop('fs.write');
  for (const path of grants.readAtStart) permission.drop('fs.read', path);
}

/** Gives up connecting and listening, unless the keys of an OpenID Connect issuer are fetched. To be called once the gateway listens. */
export function dropNetwork(permission: Permission, config: Config): void {
  const connects = config.oidc !== undefined && config.oidc.keys.from !== 'file';
  if (!connects) permission.drop('net');
}
