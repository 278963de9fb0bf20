import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { mintCa, mintClusterCertificate, mintIntermediate } from '../../certs-dev/mint.ts';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { launchBrowser, NO_BROWSER, newContext } from '../support/browser.ts';
import type { ClientCertificate } from '../support/client.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestPki, withChain } from '../support/pki.ts';
import { samplePlan } from '../support/plans.ts';
import { HTML, text, visitor } from '../support/status-page.ts';
import { makeToken } from '../support/tokens.ts';

/** Breaks out of text, of both kinds of attribute, of a script and of a comment; `n` says which field it stood in. */
const hostile = (n: number): string =>
  `x${n}"'><img src=x onerror=alert(${n})><script>alert(${n})</script>--></title></textarea><svg onload=alert(${n})>{{7*7}}\u0026lt;`;

const DNS = 'demo-cluster-01.k8s.example.com';
const [first, ...others] = DEMO_SEED.clusters;
const [namespace, ...namespaces] = DEMO_SEED.namespaces;
const [rolebinding, ...rolebindings] = DEMO_SEED.rolebindings;

describe('what others wrote', () => {
  const cleanups: (() => unknown)[] = [];
  let gateway: TestGateway;
  let sam: ClientCertificate;
  let planHash = '';

  before(async () => {
    const pki = await createTestPki({ clusterRoot: { subject: { CN: hostile(1).slice(0, 60) } } });
    const seed = {
      ...DEMO_SEED,
      namespaces: [{ ...namespace, annotations: { 'example.com/owner': hostile(2) } }, ...namespaces],
      rolebindings: [
        {
          ...rolebinding,
          subjects: [{ kind: 'Group', name: hostile(3), apiGroup: 'rbac.authorization.k8s.io' }],
        },
        ...rolebindings,
      ],
      clusters: [
        {
          ...first,
          cluster_name: hostile(4),
          vm_image: hostile(5),
          patches: { podinfo: { 'ui.message': hostile(6) } },
        },
        ...others,
      ],
    };
    const t = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    gateway = await startTestGateway(t as never, { pki, seed });
    sam = await pki.operator('sam@example.com');
    const certificate = withChain(
      await mintClusterCertificate(DNS, await mintIntermediate(hostile(7).slice(0, 60), pki.clusterRoot), {
        subject: { CN: hostile(8).slice(0, 60) },
      }),
    );
    const send = gateway.send;
    for (const route of ['platform-components', 'namespaces', 'rolebindings']) {
      const headers = { 'user-agent': hostile(9) };
      const polled = await send({ path: `/api/v2/flux/clusters/${DNS}/${route}`, certificate, headers });
      assert.equal(polled.status, 200);
    }
    const event = {
      involvedObject: {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        namespace: 'flux-system',
        name: 'traefik',
      },
      severity: 'error',
      timestamp: new Date().toISOString(),
      message: hostile(10),
      reason: 'HealthCheckFailed',
      metadata: { revision: hostile(11) },
      reportingController: hostile(12),
    };
    const told = await send({
      method: 'POST',
      path: `/api/v2/flux/clusters/${DNS}/events`,
      body: event,
      certificate,
    });
    assert.equal(told.status, 202, told.body.toString());
    const stranger = await mintCa(hostile(13).slice(0, 60));
    const foreign = withChain(
      await mintClusterCertificate(DNS, stranger, { subject: { CN: hostile(14).slice(0, 60) } }),
    );
    assert.equal(
      (await send({ path: `/api/v2/flux/clusters/${DNS}/namespaces`, certificate: foreign })).status,
      495,
    );
    const write = async (method: string, path: string, body: unknown, headers = {}): Promise<void> => {
      const answer = await send({ method, path, body, certificate: sam, headers });
      assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.body}`);
    };
    await write(
      'PATCH',
      '/clusters/demo-cluster-01',
      { patches: { podinfo: { 'ui.message': hostile(15) } } },
      { 'change-reason': hostile(16) },
    );
    await write('POST', '/revocations', {
      cluster_dns: 'demo-cluster-02.k8s.example.com',
      reason: hostile(17),
    });
    await write('POST', '/clusters/demo-cluster-03/state', { state: 'frozen', reason: hostile(18) });
    const plan = samplePlan(1, {
      requestedBy: hostile(19),
      requestedMs: Date.now(),
      expiresMs: Date.now() + 3_600_000,
    });
    planHash = plan.hash;
    const field = {
      field: `/patches/${hostile(20)}`,
      before: hostile(21),
      after: { [hostile(22)]: [hostile(23)] },
    };
    const routes = [
      {
        route: hostile(24),
        inputs_before: 1,
        inputs_after: 1,
        reordered: true,
        inputs: [{ id: hostile(25), change: 'changed', fields: [field] }],
      },
    ];
    const clusters = [
      {
        id: 'demo-cluster-01',
        cluster_dns: hostile(26),
        environment: 'prod',
        environment_before: 'dev',
        state: 'active',
        answers: 'stays',
        served_before: 1,
        routes,
      },
    ];
    const objects = [{ kind: 'cluster', id: hostile(27), change: 'replaced', fields: [field] }];
    const store = await openSqliteStore(`sqlite://${gateway.directory}/fleet.db`);
    await store.plans.request(
      { ...plan, page: { ...plan.page, clusters, objects } as never },
      {
        at: new Date().toISOString(),
        event: 'plan_requested',
        object: hostile(28),
        reason: hostile(29),
        details: { [hostile(30)]: hostile(31) },
      },
    );
    await store.close();
    await gateway.send({ path: `/${'a'.repeat(10)}<b>`.replaceAll(/[<>]/g, '!'), certificate: sam });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const pages = (): readonly string[] => [
    '/ui',
    `/ui?q=${encodeURIComponent(hostile(40))}`,
    `/ui?q=demo&label=${encodeURIComponent(`team=${hostile(41)}`.replaceAll('=x', 'x').slice(0, 60))}`,
    `/ui/clusters/${DNS}`,
    '/ui/clusters/demo-cluster-02.k8s.example.com',
    '/ui/clusters/demo-cluster-03.k8s.example.com',
    '/ui/trust',
    '/ui/revocations',
    '/ui/audit',
    '/ui/plans',
    `/ui/plans/${planHash}`,
  ];

  it('is text on every page, whichever field it stood in', async () => {
    const seen = new Set<number>();
    for (const path of pages()) {
      // What each page is made of is held against what pages may be made of, in test/support/documented.ts.
      const answer = await gateway.send({ path, certificate: sam, headers: HTML });
      assert.ok([200, 400].includes(answer.status), `${path}: ${answer.status}`);
      const page = text(answer);
      assert.doesNotMatch(page, /<img|<svg onload|<script>alert|alert\(\d+\)<\/script>/);
      for (const [, n] of page.matchAll(/x(\d+)\\?&quot;&#39;&gt;&lt;img/g)) seen.add(Number(n));
    }
    // Those that the API let in and that pages show; the others were refused or are nowhere shown.
    const expected = [
      1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29, 40, 41,
    ];
    const missing = expected.filter((n) => !seen.has(n));
    assert.deepEqual(missing, [], `shown: ${[...seen].sort((a, b) => a - b).join()}`);
  });

  it('is text in errors and in the form to sign in', async () => {
    const person = visitor(gateway);
    for (const path of [
      `/ui?q=${encodeURIComponent(hostile(50))}`,
      '/ui/trust?%22%3E%3Cscript%3E=1',
      "/ui/x'%22",
    ]) {
      const answer = await person.get(path);
      assert.ok([400, 401, 404].includes(answer.status), path);
      assert.doesNotMatch(text(answer), /<script>|<img/);
    }
    const made = await makeToken(gateway, { kind: 'operator', roles: ['viewer'], name: 'a-name' });
    assert.match(text(await person.signIn(made.token)), /operator:token:a-name/);
  });

  it('runs in no browser', { skip: NO_BROWSER }, async () => {
    let browser: Browser | undefined;
    try {
      browser = await launchBrowser();
      const context = await newContext(browser, gateway, { certificate: sam });
      const page = await context.newPage();
      const dialogs: string[] = [];
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      const refused: string[] = [];
      page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) refused.push(message.text());
      });
      for (const path of pages()) {
        await page.goto(path);
        assert.equal(await page.locator('img, iframe, object').count(), 0, path);
        assert.equal(await page.locator('script').count(), 1, path);
      }
      assert.deepEqual(dialogs, []);
      assert.deepEqual(refused, []);
    } finally {
      await browser?.close();
    }
  });
});
