import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { stringify } from 'yaml';
import { StartupError } from '../../src/core/errors.ts';
import type { ClientRequest } from '../support/client.ts';
import { sendConfirmed } from '../support/confirm.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';

const component = (id: string, fields: object = {}): object => ({
  _id: id,
  component_path: `components/${id}`,
  component_version: '1.0.0',
  cluster_env_enabled: false,
  oci_url: `oci://registry.example.com/${id}`,
  oci_tag: 'v1.0.0',
  depends_on: [],
  ...fields,
});
const cluster = (id: string, fields: object = {}): object => ({
  _id: id,
  cluster_name: id,
  cluster_dns: `${id}.k8s.example.com`,
  environment: 'prod',
  ...fields,
});

/** As flux-resourceset has it: _id for id, null for absent. */
const SEED = {
  clusters: [
    cluster('east', {
      node_count: null,
      vm_image: null,
      platform_components: [{ _id: 'ingress', enabled: true, oci_tag: null, component_path: null }],
      namespaces: [{ _id: 'web' }],
      rolebindings: null,
      patches: { ingress: { replicas: '2' } },
    }),
    cluster('west', { patches: null }),
  ],
  platform_components: [
    component('ingress', { depends_on: ['dns'] }),
    component('dns', { depends_on: null }),
  ],
  namespaces: [{ _id: 'web', labels: { team: 'web' }, annotations: null }],
  rolebindings: [],
};

describe('a seed file', () => {
  let pki: TestPki;
  let directory = '';
  before(async () => {
    pki = await createTestPki();
    directory = await mkdtemp(join(tmpdir(), 'fluxgate-seeds-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const start = async (
    t: Pick<TestContext, 'after'>,
    name: string,
    text: string,
    more: Record<string, string> = {},
  ): Promise<TestGateway> => {
    const path = join(directory, name);
    await writeFile(path, text);
    return startTestGateway(t, { pki, environment: { SEED_FILE: path, ...more } });
  };

  it('of flux-resourceset is imported as it is, from JSON and from YAML alike', async (t) => {
    const fromJson = await start(t, 'fleet.json', JSON.stringify(SEED));
    const fromYaml = await start(t, 'fleet.yaml', stringify(SEED));
    const fleet = await fromJson.fleet();
    assert.equal(await fromYaml.fleet(), fleet);
    const certificate = await pki.cluster('east.k8s.example.com');
    const path = '/api/v2/flux/clusters/east.k8s.example.com/platform-components';
    const answer = await fromJson.send({ path, certificate });
    assert.deepEqual(answer.json()['inputs'], [
      {
        id: 'ingress',
        component_path: 'components/ingress',
        component_version: '1.0.0',
        cluster_env_enabled: false,
        depends_on: ['dns'],
        enabled: true,
        patches: { replicas: '2' },
        cluster: { name: 'east', dns: 'east.k8s.example.com', environment: 'prod' },
        source: { oci_url: 'oci://registry.example.com/ingress', oci_tag: 'v1.0.0' },
      },
    ]);
  });

  const remove = (path: string): ClientRequest => ({ method: 'DELETE', path, token: WRITE_TOKEN });

  const wrong: readonly (readonly [what: string, text: string, named: readonly RegExp[]])[] = [
    [
      'a dangling component',
      JSON.stringify({ ...SEED, platform_components: [component('dns')] }),
      [/clusters\[0\] "east"/, /"ingress"/],
    ],
    [
      'a dangling dependency',
      JSON.stringify({ ...SEED, platform_components: [component('ingress', { depends_on: ['nothing'] })] }),
      [/platform_components\[0\] "ingress"/, /"nothing"/],
    ],
    [
      'a cluster_dns twice',
      JSON.stringify({
        clusters: [cluster('east'), cluster('west', { cluster_dns: 'east.k8s.example.com' })],
      }),
      [/clusters\[1\] "west"/, /cluster_dns/, /"east"/],
    ],
    [
      'an id twice',
      JSON.stringify({ namespaces: [{ id: 'web' }, { _id: 'web' }] }),
      [/namespaces\[1\] "web"/],
    ],
    [
      'an unknown field',
      JSON.stringify({ clusters: [cluster('east', { colour: 'red' })] }),
      [/clusters\[0\] "east"/, /colour/],
    ],
    ['a key twice', '{"namespaces":[{"id":"a","id":"b"}]}', [/"id"/, /line 1/]],
    ['broken JSON', '{"namespaces":[', [/JSON/]],
  ];
  for (const [what, text, named] of wrong) {
    it(`with ${what} is a refusal to start that names it`, async (t) => {
      await assert.rejects(start(t, 'wrong.json', text), (error: unknown) => {
        assert.ok(error instanceof StartupError, String(error));
        for (const pattern of named) assert.match(error.message, pattern);
        assert.match(error.message, /wrong\.json/);
        return true;
      });
    });
  }

  it('with aliases or two documents is a refusal as well', async (t) => {
    for (const text of [
      'namespaces:\n  - &a {id: a}\n  - *a\n',
      'namespaces:\n  - id: a\n---\nnamespaces:\n  - id: b\n',
    ]) {
      await assert.rejects(start(t, 'wrong.yaml', text), StartupError, text);
    }
  });

  it('that was refused left nothing behind: the next, right one is loaded', async (t) => {
    const database = { DATABASE_URL: `sqlite://${join(directory, 'refused-first.db')}` };
    const dangling = JSON.stringify({ ...SEED, namespaces: [] });
    await assert.rejects(start(t, 'first.json', dangling, database), StartupError);
    const gateway = await start(t, 'second.json', JSON.stringify(SEED), database);
    assert.equal((await gateway.send({ path: '/clusters/east', token: WRITE_TOKEN })).status, 200);
  });

  it('is loaded once: a fleet that was emptied stays empty', async (t) => {
    const database = { DATABASE_URL: `sqlite://${join(directory, 'emptied.db')}` };
    const cleanups: (() => unknown)[] = [];
    const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    const first = await start(
      context as Pick<TestContext, 'after'>,
      'once.json',
      JSON.stringify(SEED),
      database,
    );
    for (const path of ['/clusters/east', '/clusters/west']) {
      // `answers_end`: a cluster that is served something is not forgotten by accident.
      const answer = await (path.endsWith('east')
        ? sendConfirmed(first, remove(path))
        : first.send(remove(path)));
      assert.equal(answer.status, 200, `${path} ${answer.body}`);
    }
    for (const path of ['/platform_components/ingress', '/platform_components/dns', '/namespaces/web']) {
      const answer = await first.send(remove(path));
      assert.equal(answer.status, 200, `${path} ${answer.body}`);
    }
    for (const cleanup of cleanups) await cleanup();
    const second = await start(t, 'once.json', JSON.stringify(SEED), database);
    assert.equal(await second.fleet(), '[]\n[]\n[]\n[]');
  });
});
