import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

it('a certificate, key or CA that TLS cannot use is exit 78 and named, and no connection is tried', async (t) => {
  const line = await startCommandLine(t);
  const put = async (name: string, text: string | Buffer): Promise<string> => {
    const path = join(line.directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const garbled = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const cert = line.environment['API_CERT_FILE'] ?? '';
  const chain = await readFile(cert, 'utf8');
  const key = createPrivateKey(await readFile(line.environment['API_KEY_FILE'] ?? ''));
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const encrypted = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  for (const [flag, path, says] of [
    [
      '--key',
      await put('other.key', other.export({ type: 'pkcs8', format: 'pem' })),
      `is not the key of --cert (the environment), ${cert}: name the two that belong together`,
    ],
    [
      '--key',
      await put('der.key', key.export({ type: 'pkcs8', format: 'der' })),
      'holds no private key (PEM)',
    ],
    ['--key', await put('cert.key', chain), 'holds no private key (PEM)'],
    [
      '--key',
      await put('encrypted.key', encrypted),
      'is encrypted, and nobody is asked for a passphrase: decrypt it',
    ],
    ['--cert', await put('garbled.crt', garbled), 'holds a certificate that cannot be read'],
    ['--cert', await put('half.crt', chain + garbled), 'holds a certificate that cannot be read'],
    ['--ca', await put('ca.crt', garbled), 'holds a certificate that cannot be read'],
  ] as const) {
    // Nobody listens there: whoever gets that far says 69.
    const url = ['--url', 'https://localhost:1'];
    const ended = await line.run(['cluster', 'list', flag, path, ...url]);
    assert.deepEqual([ended.code, ended.stderr], [78, `fluxgate: ${flag}: ${path} ${says}\n`]);
  }
  assert.equal((await line.run(['cluster', 'list'])).code, 0);
  assert.equal((await line.run(['cluster', 'list', '--url', 'https://localhost:1'])).code, 69);
});
