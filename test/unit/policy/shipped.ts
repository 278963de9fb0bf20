import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { CertificateReference, Principal } from '../../../src/core/identity/principal.ts';
import { readOperations } from '../../../src/core/policy/operations.ts';
import type { PolicySources } from '../../../src/core/policy/policy-set.ts';

const file = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

export const OPERATIONS = readOperations(parse(file('openapi.yaml')));

/** The policies that are shipped, held against the document that is shipped. */
export const SHIPPED: PolicySources = {
  schemaText: file('policy/fluxgate.cedarschema'),
  policies: Object.fromEntries(
    readdirSync(new URL('../../../policy/', import.meta.url))
      .filter((name) => name.endsWith('.cedar'))
      .map((name) => [name, file(`policy/${name}`)]),
  ),
  operationIds: OPERATIONS.all.map(({ operationId }) => operationId),
  generation: 1,
};

const certificate: CertificateReference = {
  sha256: 'ab',
  spkiSha256: 'cd',
  serial: '01',
  subject: 'CN=x',
  issuer: 'CN=ca',
  anchorSha256: 'ef',
  issuersSha256: ['ef'],
  notAfter: 0,
};

export const EAST = 'east.k8s.example.com';
export const WEST = 'west.k8s.example.com';

export const ACTORS = {
  cluster: { kind: 'cluster', dns: EAST, certificate },
  operator: { kind: 'operator', name: 'alex@example.com', groups: ['platform'], certificate },
  reader: { kind: 'reader', tokenId: '01234567' },
  writer: { kind: 'writer', tokenId: '89abcdef' },
  anonymous: { kind: 'anonymous' },
} as const satisfies Record<string, Principal>;
