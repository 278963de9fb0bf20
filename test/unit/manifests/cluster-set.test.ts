import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StartupError } from '../../../src/core/errors.ts';
import { CREDENTIALS, type ManifestRequest } from '../../../src/core/manifests/settings.ts';
import { refusals } from '../../support/crd-rules.ts';
import {
  EXAMPLE_CA,
  exampleCluster,
  find,
  type Manifest,
  manifestsOf,
  readManifests,
} from '../../support/manifests.ts';
import { createTestPki } from '../../support/pki.ts';
import { PROJECT } from '../../support/spawned.ts';

const objectsOf = (...request: Parameters<typeof manifestsOf>): readonly Manifest[] =>
  readManifests(manifestsOf(...request));
const ofKind = (objects: readonly Manifest[], kind: string): readonly Manifest[] =>
  objects.filter((one) => one.kind === kind);

describe('what a cluster applies', () => {
  for (const credential of CREDENTIALS) {
    it(`is in deploy/cluster for an example, with ${credential}`, () => {
      const committed = readFileSync(join(PROJECT, `deploy/cluster/${credential}.yaml`), 'utf8');
      assert.equal(manifestsOf(exampleCluster(), { credential }), committed);
    });

    it(`is what the API server takes, with ${credential}, whichever YAML it reads`, () => {
      const text = manifestsOf({}, { credential });
      assert.deepEqual(readManifests(text, '1.1'), readManifests(text, '1.2'));
      assert.deepEqual(readManifests(text).flatMap(refusals), []);
    });

    it(`holds no token and no private key, with ${credential}`, () => {
      const text = manifestsOf({}, { credential });
      assert.doesNotMatch(text, /PRIVATE KEY|fgt_/);
      for (const secret of ofKind(readManifests(text), 'Secret'))
        assert.deepEqual(Object.keys(secret['stringData'] as object), ['ca.crt']);
    });
  }

  it('polls three routes of this very cluster over https, no more inputs than its limit, and waits for what they exported', () => {
    const objects = objectsOf({ filter_limit: 250 });
    const routes = ['namespaces', 'rolebindings', 'platform-components'];
    assert.deepEqual(
      ofKind(objects, 'ResourceSetInputProvider').map(({ spec }) => [spec.url, spec.filter.limit]),
      routes.map((route) => [
        `https://fluxgate.example.com/api/v2/flux/clusters/east.k8s.example.com/${route}`,
        250,
      ]),
    );
    assert.equal(ofKind(objectsOf(), 'ResourceSetInputProvider')[0]?.spec.filter.limit, 100);
    for (const route of routes) {
      const { dependsOn, inputsFrom } = find(objects, 'ResourceSet', route).spec;
      assert.equal(inputsFrom[0].name, route);
      const [provider] = dependsOn;
      assert.deepEqual(
        [provider.kind, provider.name, provider.ready],
        ['ResourceSetInputProvider', route, true],
      );
      assert.match(provider.readyExpr, /status\.lastExportedRevision/);
    }
  });

  it('shows who the cluster is by one name and a client certificate', () => {
    const { spec } = find(
      objectsOf({}, { issuer: 'step.example.com/StepIssuer/ca' }),
      'Certificate',
      'api-client-cert',
    );
    assert.deepEqual(spec.dnsNames, ['east.k8s.example.com']);
    assert.ok(!('commonName' in spec) && !('isCA' in spec));
    assert.deepEqual(spec.usages, ['digital signature', 'client auth']);
    assert.deepEqual(spec.issuerRef, { group: 'step.example.com', kind: 'StepIssuer', name: 'ca' });
  });

  it('reports what became of the fleet’s objects in flux-system, and of nobody else’s', () => {
    const objects = objectsOf();
    const { address } = find(objects, 'Provider', 'fluxgate').spec;
    assert.equal(address, 'https://fluxgate.example.com/api/v2/flux/clusters/east.k8s.example.com/events');
    const { spec } = find(objects, 'Alert', 'fluxgate');
    for (const source of spec.eventSources) {
      assert.equal(source.namespace, 'flux-system');
      assert.deepEqual(source.matchLabels, { 'app.kubernetes.io/part-of': 'fluxgate' });
    }
    assert.ok(!('summary' in spec) && !('eventMetadata' in spec));
  });

  it('keeps Flux from all ports but its own, and from where clouds hand out credentials', () => {
    const policies = ofKind(
      objectsOf({}, { gateway: 'https://fluxgate.example.com:8443', gatewayNetworks: ['10.1.0.0/16'] }),
      'NetworkPolicy',
    );
    const outside = policies
      .flatMap(({ spec }) => spec.egress)
      .filter(({ to }) => to.some((peer: object) => 'ipBlock' in peer));
    assert.ok(outside.length > 0);
    for (const { to, ports } of outside) {
      assert.ok(
        ports.every(
          ({ protocol, port }: { protocol: string; port: number }) =>
            protocol === 'TCP' && [443, 6443, 8443].includes(port),
        ),
      );
      for (const { ipBlock } of to) {
        if (ipBlock.cidr === '0.0.0.0/0') assert.deepEqual(ipBlock.except, ['169.254.0.0/16']);
        else if (ipBlock.cidr === '::/0') assert.ok(ipBlock.except.includes('fd00:ec2::/32'));
        else assert.equal(ipBlock.cidr, '10.1.0.0/16');
      }
    }
  });

  it('leaves out what the cluster has no use for', () => {
    const kinds = objectsOf({}, { without: ['kyverno', 'network-policies', 'notifications'] }).map(
      ({ kind }) => kind,
    );
    for (const kind of ['ClusterPolicy', 'NetworkPolicy', 'Alert', 'Provider'])
      assert.ok(!kinds.includes(kind), kind);
  });

  it('carries any name of a cluster as text, and never as anything else', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'yes',
        'no',
        'null',
        '1:30',
        '0o17',
        '~',
        '*x',
        '&x',
        '{{ x }}',
        '$'.concat('{X}'),
        '"',
        "'",
        ': #',
        '---',
        '<<',
        '%',
        '\\',
      ),
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
        .filter((text) => !/\p{Cc}|[\u2028\u2029\ufffe\uffff]/u.test(text)),
    );
    fc.assert(
      fc.property(name, (cluster_name) => {
        const text = manifestsOf({ cluster_name });
        for (const version of ['1.1', '1.2'] as const) {
          const identity = readManifests(text, version)[0] as unknown as {
            data: unknown;
            immutable: boolean;
          };
          assert.deepEqual(identity.data, {
            CLUSTER_NAME: cluster_name,
            CLUSTER_DNS: 'east.k8s.example.com',
            ENVIRONMENT: 'dev',
          });
          assert.equal(identity.immutable, true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has templates that are the same for every cluster: no value is ever part of one', () => {
    const templates = (...request: Parameters<typeof manifestsOf>) =>
      ofKind(objectsOf(...request), 'ResourceSet').map(({ spec }) => spec.resourcesTemplate);
    const other = {
      id: 'west',
      cluster_name: '<< fail >>',
      cluster_dns: 'w.example.org',
      environment: 'prod',
    } as const;
    assert.deepEqual(templates(other, { gateway: 'https://other.example.org' }), templates());
    for (const template of templates() as string[]) {
      const printed = [...template.matchAll(/[a-zA-Z]+: <<-? ([^`]*?) >>/g)].map(([, action = '']) => action);
      assert.ok(printed.length > 1);
      for (const action of printed) assert.match(action, /\| toJson$/);
    }
  });

  it('is refused where a setting would not be what it should be', async () => {
    const leaf = await (await createTestPki()).cluster('demo-cluster-01.k8s.example.com');
    const pem = readFileSync(EXAMPLE_CA, 'utf8');
    const refused: readonly [Partial<ManifestRequest>, RegExp][] = [
      [{ gateway: 'http://fluxgate.example.com' }, /--gateway/],
      [{ gateway: 'https://fluxgate.example.com/api' }, /--gateway/],
      [{ gateway: 'https://user@fluxgate.example.com' }, /--gateway/],
      [{ gateway: 'https://x.example.com:99999' }, /--gateway/],
      [{ gateway: 'https://x"\n.example.com' }, /--gateway/],
      [{ issuer: 'a b/c' }, /--issuer/],
      [{ issuer: 'x' }, /--issuer/],
      [{ issuer: 'a/b/Kind/name' }, /--issuer/],
      [{ secretStore: 'ClusterSecretStore/"' }, /--secret-store/],
      [{ gatewayNetworks: ['10.0.0.0/33'] }, /--gateway-network/],
      [{ caPem: pem }, /--gateway-ca: with a certificate/],
      [{ credential: 'token', caPem: undefined }, /--gateway-ca: give/],
      [{ credential: 'token', caPem: 'nothing' }, /--gateway-ca/],
      [{ credential: 'token', caPem: leaf.pem }, /--gateway-ca: "CN=\S+" is no CA: give the one/],
      [
        {
          credential: 'token',
          caPem: `${pem}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`,
        },
        /--gateway-ca: block 2 is no certificate/,
      ],
      [
        {
          credential: 'token',
          caPem: `${pem}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
        },
        /private key/,
      ],
    ];
    for (const [request, problem] of refused)
      assert.throws(
        () => manifestsOf({}, request),
        (error) => error instanceof StartupError && problem.test(error.message),
      );
  });
});

describe('the admission policies', () => {
  const rules = (name: string) => find(objectsOf(), 'ClusterPolicy', name).spec.rules as readonly Manifest[];

  it('want https and certSecretRef of every provider', () => {
    const [rule] = rules('fluxgate-providers') as unknown as {
      validate: { pattern: object; failureAction: string };
    }[];
    assert.deepEqual(rule?.validate.pattern, { spec: { url: 'https://*', certSecretRef: { name: '?*' } } });
    assert.equal(rule?.validate.failureAction, 'Enforce');
  });

  it('compare the name where it stands in the path, so that no query string passes for it', () => {
    const own = JSON.stringify(rules('fluxgate-providers')[1]);
    const [, expression = ''] = /split\(request\.object\.spec\.url, '\/'\)\[(\d)\]/.exec(own) ?? [];
    const named = (url: string): string | undefined => url.split('/')[Number(expression)];
    assert.equal(
      named('https://g.example.com/api/v2/flux/clusters/own.example.com/namespaces'),
      'own.example.com',
    );
    for (const url of [
      'https://g/api/v2/flux/clusters/other/namespaces?/api/v2/flux/clusters/own.example.com/',
      'https://g//api/v2/flux/clusters/own.example.com/namespaces',
      'https://g/api/v2/flux/clusters',
    ])
      assert.notEqual(named(url), 'own.example.com', url);
    assert.match(own, /identity\.data\.CLUSTER_DNS/);
  });

  it('keep the identity from changes, deletion, and an end of its immutability', () => {
    const [rule] = rules('fluxgate-cluster-identity') as unknown as {
      match: { any: { resources: { operations: string[]; names: string[] } }[] };
      validate: { deny: { conditions: { any: { key: string }[] } } };
    }[];
    assert.deepEqual(rule?.match.any[0]?.resources.operations, ['UPDATE', 'DELETE']);
    assert.deepEqual(rule?.match.any[0]?.resources.names, ['cluster-identity']);
    assert.equal(rule?.validate.deny.conditions.any.length, 3);
  });
});
