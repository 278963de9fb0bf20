import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import {
  type CertificateFiles,
  DEMO_CLUSTERS,
  type DevelopmentPki,
  ensureDevelopmentPki,
} from '../../certs-dev/development-pki.ts';
import { parseConfig } from '../core/config.ts';
import type { Environment } from '../core/config-names.ts';
import { DEMO_SEED } from '../core/fleet/demo-fleet.ts';
import { systemClock } from '../shell/clock.ts';
import { listenFailure } from '../shell/listen-failure.ts';
import { DEVELOPMENT_PKI_DIR } from './certs-dev.ts';
import type { LastingCommandContext } from './context.ts';
import { listenTrial } from './listen-trial.ts';
import { openLog } from './open-log.ts';
import { runGateway } from './run-gateway.ts';
import { enterSandbox } from './sandbox.ts';
import { supervise, workersOf } from './supervise.ts';

interface DevelopmentTokens {
  readonly readFile: string;
  readonly writeFile: string;
}

/** A working gateway with no configuration: development keys, a demo fleet, and the commands to try. */
export async function dev(context: LastingCommandContext): Promise<void> {
  const shown = (path: string): string => shellWord(pathFrom(context.workingDirectory, path));
  // Files that a gateway of before serves from are not renewed under it by one that cannot serve.
  if (context.host.channel === undefined && context.host.permission === undefined) {
    await assertPortsFree(context.environment);
  }
  const pki = await ensureDevelopmentPki({
    directory: DEVELOPMENT_PKI_DIR,
    now: new Date(systemClock.now()),
    log: (line) => context.print(`# ${line.replace(DEVELOPMENT_PKI_DIR, 'certs-dev/')}`),
  });
  const tokens = {
    readFile: await ensureToken(join(DEVELOPMENT_PKI_DIR, 'read-token')),
    writeFile: await ensureToken(join(DEVELOPMENT_PKI_DIR, 'write-token')),
  };
  const config = parseConfig(developmentEnvironment(context.environment, pki, tokens));
  const workers = workersOf(config, context.host);
  const help = (port: number): void => {
    for (const line of commandsToTry(port, pki, tokens, shown)) context.print(line);
  };
  if (workers > 1 && context.host.channel === undefined) {
    return supervise(context, config, await openLog(context, config), workers, {
      readToo: [DEVELOPMENT_PKI_DIR],
      started: () => help(config.listen.port),
    });
  }
  // What was minted above is found below, in the sandbox, where it could not be written.
  const sandbox = await enterSandbox(context, config, [DEVELOPMENT_PKI_DIR]);
  if (sandbox === undefined) return;
  const log = await openLog(context, config);
  for (const line of sandbox.warnings) log.warn(line);
  const { storeCheck, beforeListening, afterStart } = sandbox;
  const demoFleet = JSON.stringify(DEMO_SEED);
  await runGateway(
    context,
    config,
    { clock: systemClock, log, demoFleet, storeCheck, beforeListening },
    (gateway) => {
      afterStart();
      if (context.host.channel === undefined) help(gateway.address.port);
    },
  );
}

/** Throws StartupError, also for what else is wrong with the environment: nothing is minted yet. */
async function assertPortsFree(environment: Environment): Promise<void> {
  const unminted = Object.fromEntries(MINTED.map((variable) => [variable, 'not minted yet']));
  const { listen, admin } = parseConfig({ ...DEFAULTS, ...unminted, ...environment });
  const ports = [['LISTEN_ADDR', listen] as const, ['ADMIN_ADDR', admin] as const];
  for (const [variable, address] of ports) {
    const failure = address === undefined ? undefined : await listenTrial(address);
    if (address !== undefined && failure !== undefined) throw listenFailure(variable, address, failure);
  }
}

const DEFAULTS: Environment = {
  API_MODE: 'crud',
  LISTEN_ADDR: '127.0.0.1:8443',
  // One process starts sooner, and its log is easier to read.
  WORKERS: '1',
};

const MINTED = [
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'CLUSTER_CA_FILE',
  'OPERATOR_CA_FILE',
  'AUTH_TOKEN_FILE',
  'CRUD_AUTH_TOKEN_FILE',
] as const;

/** What the user set wins; what carries trust and is not set comes from the development PKI. */
function developmentEnvironment(
  environment: Environment,
  pki: DevelopmentPki,
  tokens: DevelopmentTokens,
): Environment {
  return {
    ...DEFAULTS,
    TLS_CERT_FILE: pki.server.certificatePath,
    TLS_KEY_FILE: pki.server.keyPath,
    CLUSTER_CA_FILE: pki.clusterCaPath,
    OPERATOR_CA_FILE: pki.operatorCaPath,
    AUTH_TOKEN_FILE: tokens.readFile,
    CRUD_AUTH_TOKEN_FILE: tokens.writeFile,
    ...environment,
  };
}

/** Made once and kept, so that yesterday's commands work today. */
async function ensureToken(path: string): Promise<string> {
  try {
    await readFile(path);
  } catch {
    await writeFile(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  }
  return path;
}

/** Short where the path is below the directory that the user stands in, and absolute elsewhere. */
function pathFrom(directory: string, path: string): string {
  const below = relative(directory, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below;
}

/** For a POSIX shell: as it is where that is safe, else in single quotes. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function commandsToTry(
  port: number,
  pki: DevelopmentPki,
  tokens: DevelopmentTokens,
  shown: (path: string) => string,
): readonly string[] {
  const [first = '', second = '', third = ''] = DEMO_CLUSTERS;
  const url = (path: string): string => `https://localhost:${port}${path}`;
  const inputs = (dns: string): string => url(`/api/v2/flux/clusters/${dns}/platform-components`);
  const curl = `curl -sS --cacert ${shown(pki.serverCaPath)} -w '\\n%{http_code}\\n'`;
  const by = (files: CertificateFiles | undefined): string =>
    files === undefined ? '' : `--cert ${shown(files.certificatePath)} --key ${shown(files.keyPath)}`;
  const asCluster = by(pki.clusters.get(first));
  const asOperator = by(pki.operator);
  const token = (file: string): string => `-H "Authorization: Bearer $(cat ${shown(file)})"`;
  return [
    '',
    `Fluxgate serves on ${url('')} with a development PKI. Try, in another terminal:`,
    '',
    '# a cluster asks for its own inputs: 200',
    `${curl} ${asCluster} ${inputs(first)}`,
    "# the same cluster asks for another's: 403",
    `${curl} ${asCluster} ${inputs(second)}`,
    '# nobody asks: 401',
    `${curl} ${inputs(first)}`,
    '# the shared read token asks for a cluster that was never served by its certificate: 200',
    `${curl} ${token(tokens.readFile)} ${inputs(third)}`,
    '# the same token for the first cluster, once its certificate has been used: 403',
    `${curl} ${token(tokens.readFile)} ${inputs(first)}`,
    '# an operator, by certificate and by write token: 200',
    `${curl} ${asOperator} ${url('/clusters')}`,
    `${curl} ${token(tokens.writeFile)} ${url('/platform_components')}`,
    '',
    `The status page is ${url('/ui')}: sign in with the token in ${shown(tokens.writeFile)}. The command line (docs/cli.md) is told once where this is:`,
    '',
    `npm run -s fluxgate -- context set dev --url ${url('')} --ca ${shown(pki.serverCaPath)} ${asOperator}`,
    'npm run -s fluxgate -- fleet status',
    '',
    'Ctrl-C stops it. The log follows, one JSON line a request.',
    '',
  ];
}
