import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, parseConfig } from '../../core/config.ts';
import type { Environment } from '../../core/config-names.ts';
import type { ListenAddress } from '../../core/config-values.ts';
import { StartupError } from '../../core/errors.ts';
import { crlWarnings } from '../../core/identity/crl-warnings.ts';
import { systemClock } from '../../shell/clock.ts';
import { loadContract } from '../../shell/contract.ts';
import { createLoader } from '../../shell/load-snapshot.ts';
import { parseDatabaseUrl } from '../../shell/store/database-url.ts';
import { readCrlIssuers } from '../../shell/store/read-crl-issuers.ts';
import { listenTrial } from '../listen-trial.ts';
import { counted } from '../output/text.ts';
import { certificateAge } from './certificates.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

/** Everything that `serve` would need of this environment, without serving. */
export async function examineGateway(environment: Environment): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = parseConfig(environment);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return error.message
      .split('\n')
      .map((line) => wrong(line, 'docs/configuration.md has every variable and its values'));
  }
  return [
    ok(`the environment can be read: API_MODE=${config.apiMode}, ${config.databaseUrl}`),
    ...(await trustFindings(config)),
    ...(await serverCertificate(config)),
    ...(await privateFiles(config)),
    ...(await storeFindings(config)),
    ...(await portFindings('LISTEN_ADDR', config.listen)),
    ...(config.admin === undefined ? [] : await portFindings('ADMIN_ADDR', config.admin)),
  ];
}

/** Reads all of it as a start does. */
async function trustFindings(config: Config): Promise<readonly Finding[]> {
  try {
    const { operations } = await loadContract();
    const { snapshot } = await createLoader(config, operations, systemClock)(1, undefined);
    const { warnings, trust, crls } = snapshot;
    const { issuers, unread } = await issuersBefore(config);
    return [
      ok(
        `certificates, keys, tokens and policies load: ${counted(trust.authorities.length, 'CA')} in the bundles`,
      ),
      ...warnings.map((line) => note(line, 'docs/configuration.md says what it means')),
      ...unread,
      ...(config.crlDir === undefined
        ? [withoutCrls(issuers.size)]
        : crlWarnings(crls.expecting(issuers), systemClock.now()).map((line) =>
            wrong(line, 'docs/runbooks has what to do about CRLs'),
          )),
    ];
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return [wrong(error.message, 'serve would refuse to start for it')];
  }
}

interface IssuersBefore {
  /** As a start expects them: what CRL_DIR holds now does not say what it lacks. */
  readonly issuers: ReadonlySet<string>;
  readonly unread: readonly Finding[];
}

async function issuersBefore({ databaseUrl }: Config): Promise<IssuersBefore> {
  const location = parseDatabaseUrl(databaseUrl);
  const none = new Set<string>();
  const there = location.memory ? undefined : await stat(location.path).catch(() => undefined);
  if (location.memory || there === undefined) return { issuers: none, unread: [] };
  try {
    return { issuers: readCrlIssuers(location.path), unread: [] };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    const next = 'serve reads there who had CRLs before, and all else: make it readable for this user';
    return { issuers: none, unread: [wrong(`DATABASE_URL: ${error.message}`, next)] };
  }
}

/** To start so is how to do without CRLs; as a slip, it lets in whom they revoke. */
function withoutCrls(hadCrls: number): Finding {
  if (hadCrls === 0) return note('CRL_DIR is not set', 'certificates are revoked by fluxgate revoke alone');
  return wrong(
    `CRL_DIR is not set, and ${counted(hadCrls, 'CA')} had CRLs: whom they revoke would be let in`,
    'set it; or start once without it, and none is expected any more',
  );
}

async function serverCertificate({ tlsCertFile }: Config): Promise<readonly Finding[]> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(await readFile(tlsCertFile));
  } catch {
    // Told above.
    return [];
  }
  const names = [...(certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map(
    ([, name = '']) => name,
  );
  const findings = [certificateAge('TLS_CERT_FILE', certificate, systemClock.now())];
  if (!certificate.subjectAltName) {
    findings.push(
      wrong(
        'TLS_CERT_FILE: has no subjectAltName, without which no client accepts it',
        'issue it with the names that clusters use',
      ),
    );
  }
  for (const name of names.filter((text) => !text.startsWith('*'))) {
    const found = await lookup(name).catch(() => undefined);
    findings.push(
      found === undefined
        ? note(
            `TLS_CERT_FILE: ${name} is not found in DNS from here`,
            'clusters that use this name have to find it',
          )
        : ok(`TLS_CERT_FILE: ${name} is ${found.address}`),
    );
  }
  return findings;
}

async function privateFiles(config: Config): Promise<readonly Finding[]> {
  const files: readonly (readonly [string, string | undefined])[] = [
    ['TLS_KEY_FILE', config.tlsKeyFile],
    ['AUTH_TOKEN_FILE', config.readTokens.file],
    ['CRUD_AUTH_TOKEN_FILE', config.writeTokens?.file],
    ['AUDIT_SIGNING_KEY_FILE', config.auditSigningKeyFile],
  ];
  const findings = await Promise.all(
    files.map(async ([variable, path]) => (path === undefined ? [] : await privateFile(variable, path))),
  );
  return findings.flat();
}

/** Whether others than its owner can read a file with a secret. */
export async function privateFile(name: string, path: string): Promise<readonly Finding[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  // Kubernetes mounts Secrets for a group (fsGroup): that is no stranger.
  if ((found.mode & 0o007) === 0) return [ok(`${name}: ${path} is kept from others`)];
  return [wrong(`${name}: everybody on this machine can read ${path}`, `chmod 600 ${path}`)];
}

async function storeFindings({ databaseUrl }: Config): Promise<readonly Finding[]> {
  const location = parseDatabaseUrl(databaseUrl);
  if (location.memory) return [note('DATABASE_URL: the store is in memory', 'it is gone with the process')];
  const directory = dirname(location.path);
  const writable = await access(directory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    return [
      wrong(
        `DATABASE_URL: ${directory} is not there, or cannot be written by this user`,
        'SQLite needs to make files beside the store: make the directory, or change its owner',
      ),
    ];
  }
  const there = await stat(location.path).catch(() => undefined);
  return there === undefined
    ? [
        note(
          `DATABASE_URL: there is no store at ${location.path} yet`,
          'the first start makes one, from SEED_FILE if that is set',
        ),
      ]
    : [
        ok(`DATABASE_URL: ${location.path}, ${there.size} bytes`),
        ...(await privateFile('the store', location.path)),
      ];
}

/** Whether the port is free. One that a gateway has already is nothing bad, if it is the one that is meant. */
async function portFindings(variable: string, { host, port }: ListenAddress): Promise<readonly Finding[]> {
  const failure = await listenTrial({ host, port });
  const code = failure === undefined ? undefined : (failure.code ?? 'an error');
  const address = `${variable}: ${host}:${port}`;
  if (code === undefined) return [ok(`${address} is free`)];
  if (code === 'EADDRINUSE') {
    return [
      note(
        `${address} is taken`,
        'by the gateway that runs already, or by something else: name another port',
      ),
    ];
  }
  return [
    wrong(
      `${address} cannot be listened on (${code})`,
      code === 'EACCES'
        ? 'ports below 1024 need a privilege: use one above'
        : 'name an address of this machine',
    ),
  ];
}
