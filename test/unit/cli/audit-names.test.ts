import assert from 'node:assert/strict';
import { test } from 'node:test';
import { principalName, requestId } from '../../../src/cli/audit-names.ts';
import { OURSELVES } from '../../../src/core/audit/entry.ts';
import {
  describePrincipal,
  NO_CERTIFICATE,
  type Principal,
  type PrincipalKind,
} from '../../../src/core/identity/principal.ts';
import { newRequestId } from '../../../src/shell/http/request-id.ts';

const dns = 'demo-cluster-01.k8s.example.com';
const tokenId = '0123456789ab';
const certificate = NO_CERTIFICATE;
const EACH: Readonly<Record<PrincipalKind, Principal>> = {
  cluster: { kind: 'cluster', dns, certificate },
  operator: { kind: 'operator', name: 'spiffe://example.com/ci', groups: [], certificate },
  reader: { kind: 'reader', tokenId },
  writer: { kind: 'writer', tokenId },
  cluster_token: { kind: 'cluster_token', dns, tokenId },
  operator_token: { kind: 'operator_token', name: 'ci', tokenId, grants: {} as never, expiresMs: 0 },
  workload: { kind: 'workload', issuer: 'https://i', subject: 'repo:a/b:ref:main', claims: [] },
  anonymous: { kind: 'anonymous' },
};

test('every principal that the trail may name is taken, and the gateway itself', () => {
  const names = Object.values(EACH).map((principal) => describePrincipal(principal));
  for (const name of [...names, OURSELVES.principal, 'nobody']) assert.equal(principalName(name), name);
  const id = newRequestId();
  assert.equal(requestId(id), id);
});

test('what no principal is called is refused, with the one that may be meant', () => {
  for (const [text, says] of [
    ['sam@example.com', /^Did you mean operator:sam@example\.com\? It is KIND:NAME, such as /],
    ['operater:sam@example.com', /^Did you mean operator:sam@example\.com\? /],
    [`cluster_token:${dns}`, /^Did you mean cluster-token:demo-cluster-01\.k8s\.example\.com\? /],
    ['anonymus', /^Did you mean anonymous\? /],
    ['operator:', /^It is KIND:NAME/],
    ['', /^It is KIND:NAME/],
    ['spiffe://example.com/ci', /^It is KIND:NAME/],
    ['cluster:Demo_01', /^A cluster has its DNS name there, such as cluster:demo-/],
  ] as const) {
    assert.throws(() => principalName(text), { message: says }, text);
  }
});

test('what no request is called is refused', () => {
  for (const text of ['', 'x', '0'.repeat(23), '0'.repeat(25), 'F'.repeat(24)]) {
    assert.throws(() => requestId(text), /^InvalidArgumentError: It is 24 hexadecimal digits/);
  }
});
