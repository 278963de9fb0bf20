import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { StartupError } from '../../core/errors.ts';
import { systemClock } from '../../shell/clock.ts';
import { configFilePath, readConfigFile } from '../api/config-file.ts';
import { connectionFailure } from '../api/connection-failures.ts';
import { errorBody, refusalOf } from '../api/failures.ts';
import type { ApiOptions } from '../api/options.ts';
import { resolveGateway } from '../api/session.ts';
import { type ApiAnswer, createTransport, type Identity } from '../api/transport.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { certificateAge } from './certificates.ts';
import { type Finding, note, ok, wrong } from './finding.ts';
import { privateFile } from './gateway.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const PATIENCE_MS = 10_000;
const FAREWELL_MS = 2_000;
const SKEW_MS = 30_000;

/** Whether anything here names a gateway; a configuration file that cannot be read does as well. */
export async function saysWhichGateway(context: TerminalContext, options: ApiOptions): Promise<boolean> {
  const { environment } = context;
  const said = [
    options.url,
    options.apiUrl,
    options.context,
    environment['API_URL'],
    environment['FLUX_API_URL'],
  ];
  if (said.some((text) => text !== undefined && text !== '')) return true;
  const file = await readConfigFile(configFilePath(environment)).catch(() => undefined);
  return file === undefined || file.current !== undefined;
}

/** The way to a gateway, step by step: what is configured, the name, the port, TLS, and what it says to who asks. */
export async function examineWay(context: TerminalContext, options: ApiOptions): Promise<readonly Finding[]> {
  let origin: string;
  let identity: Identity;
  try {
    ({ origin, identity } = await resolveGateway(context, options));
  } catch (error) {
    if (!(error instanceof StartupError) && !(error instanceof CommandFailed)) throw error;
    return [wrong(error.message, 'fluxgate context show, or the flags of fluxgate help cluster list')];
  }
  const findings = [ok(`the gateway is ${origin}`), ...(await ownCredential(context, options, identity))];
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) {
    const found = await lookup(host).catch(() => undefined);
    if (found === undefined) return [...findings, wrong(`${host} is not found in DNS`, 'check --url')];
    findings.push(ok(`${host} is ${found.address}`));
  }
  const handshake = await shakeHands(origin, host, Number(port || 443), identity);
  findings.push(...handshake);
  if (handshake.some(({ verdict }) => verdict === 'wrong')) return findings;
  return [...findings, ...(await answers(origin, identity))];
}

async function ownCredential(
  context: TerminalContext,
  options: ApiOptions,
  { cert, key, token }: Identity,
): Promise<readonly Finding[]> {
  const files = [options.key ?? context.environment['API_KEY_FILE'], options.tokenFile].filter(
    (path) => path !== undefined && path !== '-',
  );
  const kept = await Promise.all(files.map((path) => privateFile('your secret', path ?? '')));
  if (cert === undefined || key === undefined) {
    return [ok(`you come with a token (${token?.length} characters, not shown)`), ...kept.flat()];
  }
  const own = new X509Certificate(cert);
  const findings = [certificateAge('your certificate', own, systemClock.now()), ...kept.flat()];
  try {
    if (!own.checkPrivateKey(createPrivateKey(key))) {
      findings.push(wrong('--key is not the key of --cert', 'name the two that belong together'));
    }
  } catch {
    findings.push(
      wrong('--key is no readable private key (PEM, unencrypted)', 'decrypt it, or name the right file'),
    );
  }
  if (own.keyUsage?.includes(CLIENT_AUTH) !== true) {
    findings.push(
      wrong(
        'your certificate is not for client authentication (extendedKeyUsage clientAuth)',
        'have one issued that is',
      ),
    );
  }
  return findings;
}

async function shakeHands(
  origin: string,
  host: string,
  port: number,
  { ca, cert, key }: Identity,
): Promise<readonly Finding[]> {
  let socket: TLSSocket | undefined;
  try {
    const peer = await new Promise<PeerCertificate>((resolve, reject) => {
      const given = connect({
        host,
        port,
        timeout: PATIENCE_MS,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      });
      socket = given;
      given.once('secureConnect', () => resolve(given.getPeerCertificate()));
      given.once('timeout', () => {
        const error: NodeJS.ErrnoException = new Error(`no answer within ${PATIENCE_MS / 1_000} s`);
        error.code = 'ERR_NO_ANSWER';
        reject(error);
      });
      given.once('error', reject);
    });
    return [
      ok(`TLS: ${socket?.getProtocol()}, ${socket?.getCipher().standardName}; the gateway is who it says`),
      certificateAge("the gateway's certificate", new X509Certificate(peer.raw), systemClock.now()),
    ];
  } catch (error) {
    return [
      wrong(
        connectionFailure(origin, error).message.replaceAll('\n', ''),
        'nothing of a credential was sent',
      ),
    ];
  } finally {
    if (socket !== undefined) await hangUp(socket);
  }
}

/** Cut off, it would stand in the gateway's log as a handshake that failed: the server's side of it comes after the client's. */
async function hangUp(socket: TLSSocket): Promise<void> {
  if (socket.destroyed || !socket.authorized) {
    socket.destroy();
    return;
  }
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', () => socket.destroy());
    socket.setTimeout(FAREWELL_MS, () => socket.destroy());
    socket.resume();
    socket.end();
  });
}

async function answers(origin: string, identity: Identity): Promise<readonly Finding[]> {
  const send = createTransport(origin, identity);
  try {
    const ready = await send({ path: '/ready' });
    const findings = [ready.status === 200 ? readiness(ready) : refused(ready), ...clockFindings(ready)];
    const fleet = await send({ path: '/clusters', query: { limit: 1 } });
    if (fleet.status === 200) {
      return [...findings, ok(`you may read the fleet: ${String(fleet.headers['x-total-count'])} clusters`)];
    }
    return [
      ...findings,
      fleet.status === 404
        ? wrong(
            'the operator routes are not there',
            'the gateway is read-only (API_MODE): use the one with API_MODE=crud',
          )
        : refused(fleet),
    ];
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return [wrong(error.message, 'fluxgate doctor --server, on the machine of the gateway')];
  }
}

/** Of a gateway that is ready, which may have something to say all the same. */
function readiness(ready: ApiAnswer): Finding {
  const [told] = errorBody(ready).details;
  return told === undefined
    ? ok('the gateway is ready')
    : note(
        `the gateway is ready, but its last ${told.field} ${told.problem}`,
        'its log names the file, and what is wrong with it',
      );
}

/** What the commands say of it: first what it is, then what to do. */
function refused(answer: ApiAnswer): Finding {
  const [what = '', ...next] = refusalOf(answer).message.split('\n');
  return wrong(what, next.map((line) => line.trim().replace(/^→ /, '')).join('; '));
}

function clockFindings({ headers }: ApiAnswer): readonly Finding[] {
  const there = Date.parse(headers.date ?? '');
  if (Number.isNaN(there)) return [];
  const skew = Math.abs(systemClock.now() - there);
  return skew < SKEW_MS
    ? [ok("this machine's clock and the gateway's agree")]
    : [
        note(
          `the clocks differ by ${Math.round(skew / 1_000)} s`,
          'certificates are judged by time: set both by NTP',
        ),
      ];
}
