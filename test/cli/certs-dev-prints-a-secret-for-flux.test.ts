import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { fluxgate } from '../support/spawned.ts';
import { projectCopy } from './project-copy.ts';

interface Secret {
  readonly kind: string;
  readonly type: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Readonly<Record<string, string>>;
}

describe('certs-dev', () => {
  it("prints the Secret of the cluster that it is asked for, and refuses what is no cluster's name", async (t) => {
    const directory = await projectCopy(t);
    const dns = 'us-east-prod-01.k8s.example.com';
    const { code, stdout, stderr } = await fluxgate(t, ['certs-dev', '--cluster', dns], { directory }).ended;
    assert.deepEqual([code, stderr], [0, '']);
    const secret = parse(stdout) as Secret;
    assert.deepEqual([secret.kind, secret.type], ['Secret', 'kubernetes.io/tls']);
    assert.deepEqual(secret.metadata, { name: 'api-client-cert', namespace: 'flux-system' });
    const pem = (name: string): string => Buffer.from(secret.data[name] ?? '', 'base64').toString();
    const leaf = new X509Certificate(pem('tls.crt'));
    assert.equal(leaf.subjectAltName, `DNS:${dns}`);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(pem('tls.key'))));
    assert.equal(pem('tls.crt').match(/BEGIN CERTIFICATE/g)?.length, 2, 'leaf and intermediate');
    assert.ok(new X509Certificate(pem('ca.crt')).ca);

    const refused = await fluxgate(t, ['certs-dev', '--cluster', '../../etc/x'], { directory }).ended;
    assert.deepEqual([refused.code, refused.stdout], [78, '']);
    assert.match(refused.stderr, /^fluxgate: not a cluster's DNS name.*\n$/);
    assert.deepEqual(await readdir(join(directory, 'certs-dev/clusters')), [`${dns}.crt`, `${dns}.key`]);
  });
});
