import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { startTestGateway } from '../support/gateway.ts';
import { PROJECT } from '../support/spawned.ts';
import { until } from '../support/until.ts';

const OPENSSL = spawnSync('openssl', ['version']).error === undefined;
/** A record of TLS with nothing in it yet. */
const HALF_A_HELLO = '\x16\x03\x01';

it('each reason of a failed handshake in docs/troubleshooting.md is logged for what stands beside it', {
  skip: OPENSSL ? false : 'there is no openssl on this machine',
}, async (t) => {
  const gateway = await startTestGateway(t);
  const { port, log } = gateway;
  const ours = join(gateway.directory, 'ca.pem');
  await writeFile(ours, gateway.serverCaPem);
  const others = join(gateway.directory, 'other-ca.pem');
  await writeFile(others, gateway.pki.operatorRoot.pem);

  const said = (text: string) => (): void => {
    connectTcp(port, '127.0.0.1')
      .on('error', () => undefined)
      .resume()
      .write(text);
  };
  const hungUp = (): void => {
    const socket = connectTcp(port, '127.0.0.1', () =>
      socket.write(HALF_A_HELLO, () => socket.resetAndDestroy()),
    );
  };
  const offering = (options: ConnectionOptions) => (): void => {
    const way = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
    connect({ ...way, ...options }).on('error', () => undefined);
  };
  // Node's own client looks at the server's certificate after the handshake; others say what they think of it within.
  const verifying = (ca: string, name: string) => (): void => {
    const args = ['-connect', `127.0.0.1:${port}`, '-CAfile', ca, '-verify_hostname', name];
    spawn('openssl', ['s_client', '-verify_return_error', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  };
  const logged = async (visit: () => void): Promise<readonly [unknown, unknown]> => {
    const before = log.length;
    const line = () => log.slice(before).find(({ msg }) => msg === 'TLS handshake failed');
    visit();
    await until(() => line() !== undefined, 'the line');
    return [line()?.['reason'], line()?.['hint']];
  };

  const hints: (readonly [unknown, unknown])[] = [];
  for (const visit of [
    verifying(others, 'localhost'),
    verifying(ours, 'other.example.com'),
    said('GET / HTTP/1.1\r\n\r\n'),
    said('SSH-2.0-OpenSSH_9.6\r\n'),
    offering({ maxVersion: 'TLSv1.2' }),
    offering({ ciphers: 'TLS_AES_128_CCM_SHA256' }),
    offering({ ecdhCurve: 'P-521' }),
    hungUp,
  ]) {
    hints.push(await logged(visit));
  }
  const page = await readFile(join(PROJECT, 'docs/troubleshooting.md'), 'utf8');
  const table = page.split('| `reason` | `hint`')[1]?.split('\n\n')[0] ?? '';
  const documented = [...table.matchAll(/^\| (?<names>`[^|]*) \| (?<hint>[^|]*) \|/gm)].flatMap(
    ({ groups }) =>
      [...(groups?.['names'] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => [name, groups?.['hint']]),
  );
  assert.deepEqual(documented, hints);
});
