import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { type OrdinaryDay, startOrdinaryDay } from '../support/ordinary-day.ts';
import { formTokenOf, HTML, text, visitor } from '../support/status-page.ts';
import { makeToken } from '../support/tokens.ts';

const PAGES = ['/ui', '/ui/trust', '/ui/revocations', '/ui/audit', '/ui/plans'] as const;

describe('the status page', () => {
  const cleanups: (() => unknown)[] = [];
  let day: OrdinaryDay;
  before(async () => {
    day = await startOrdinaryDay({ after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as never);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  const pages = (): readonly string[] => [
    ...PAGES,
    `/ui/clusters/${day.cluster}`,
    `/ui/plans/${day.planHash}`,
  ];

  it('is nothing for a cluster, a reader or a cluster’s token: 403 with nothing of the fleet in it', async () => {
    const { gateway } = day;
    const dns = 'us-east-dev-01.k8s.example.com';
    const unregistered = await gateway.pki.cluster(dns);
    const revoked = { status: 495, certificate: unregistered };
    const reader = await makeToken(gateway, { kind: 'reader' });
    const own = await makeToken(gateway, { kind: 'cluster', cluster_dns: 'ap-south-uat-01.k8s.example.com' });
    for (const path of [...pages(), '/ui/events']) {
      // The test's own CA is not in this gateway's bundle.
      assert.equal(
        (await gateway.send({ path, headers: HTML, certificate: revoked.certificate })).status,
        revoked.status,
      );
      for (const token of [READ_TOKEN, reader.token, own.token]) {
        const answer = await gateway.send({ path, headers: HTML, token });
        assert.equal(answer.status, 403, path);
        assert.doesNotMatch(text(answer), /us-east|Example Corp/);
      }
      const nobody = await gateway.send({ path, headers: HTML });
      assert.equal(nobody.status, 401, path);
      assert.doesNotMatch(text(nobody).replaceAll(path, ''), /us-east|Example Corp/);
    }
  });

  it('shows a role the views that its JSON routes would answer, and links to no others', async () => {
    const { gateway, viewer, kim } = day;
    const viewed = visitor(gateway, { certificate: viewer });
    assert.equal((await viewed.get('/ui')).status, 200);
    for (const path of ['/ui/trust', '/ui/revocations', '/ui/audit']) {
      assert.equal((await viewed.get(path)).status, 403, path);
      assert.doesNotMatch(text(await viewed.get('/ui')), new RegExp(`href="${path}"`));
    }
    const page = text(await viewed.get(`/ui/clusters/${day.cluster}`));
    assert.match(page, /What it gets now/);
    assert.equal(page.match(/Not for your role/g)?.length, 2, 'what it presented, and refusals');
    assert.doesNotMatch(page, /another cluster&#39;s than/);
    assert.match(text(await visitor(gateway, { certificate: kim }).get('/ui')), /href="\/ui\/plans"/);
    const security = await makeToken(gateway, { kind: 'operator', roles: ['security'] });
    const secured = visitor(gateway);
    assert.match(text(await secured.signIn(security.token)), /Nothing of the fleet is for you/);
    assert.equal((await secured.get('/ui/trust')).status, 200);
    assert.equal((await secured.get(`/ui/clusters/${day.cluster}`)).status, 403);
  });

  it('keeps whoever is limited to an environment or a label to it, and names it for them', async () => {
    const { gateway } = day;
    const dev = await makeToken(gateway, { kind: 'operator', roles: ['viewer'], environments: ['dev'] });
    const person = visitor(gateway);
    const page = text(await person.signIn(dev.token));
    assert.match(page, /us-east-dev-01/);
    assert.doesNotMatch(page, /-prod-0/);
    assert.doesNotMatch(page, /<option value="prod"/);
    assert.match(page, /10 clusters/);
    for (const path of [
      '/ui?environment=prod',
      `/ui/clusters/${day.cluster}`,
      '/ui/clusters/nobody.example.com',
    ]) {
      const answer = await person.get(path);
      assert.equal(answer.status, 403, path);
      assert.doesNotMatch(text(answer), /us-east-prod/);
    }
    const own = await person.get('/ui/clusters/us-east-dev-01.k8s.example.com');
    assert.equal(own.status, 200);
    assert.match(text(own), /podinfo 6.9.3: fixes the readiness probe/);
    assert.equal((await person.get(`/ui/plans/${day.planHash}`)).status, 403);
    const searched = await person.get('/ui?q=us-east-prod-01');
    assert.equal(searched.status, 200);
    assert.doesNotMatch(text(searched), /\/ui\/clusters\/us-east-prod/);
    const payments = await makeToken(gateway, {
      kind: 'operator',
      roles: ['viewer'],
      labels: ['team=payments'],
    });
    const team = text(await visitor(gateway).signIn(payments.token));
    assert.match(team, /us-east-prod-01/);
    assert.match(team, /1 cluster</);
  });

  it('approves a plan for whoever may, once, by the form on its page and by no other', async () => {
    const { gateway, sam, kim, planHash } = day;
    const path = `/ui/plans/${planHash}/approve`;
    const asker = visitor(gateway, { certificate: sam });
    assert.match(text(await asker.get(`/ui/plans/${planHash}`)), /You asked for this plan/);
    const approver = visitor(gateway, { certificate: kim });
    const form_token = formTokenOf(await approver.get(`/ui/plans/${planHash}`));
    const forged = { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } };
    assert.equal((await approver.post(path, { form_token }, forged)).status, 403, 'right token, wrong site');
    assert.equal(
      (await approver.post(path, { form_token: 'A'.repeat(43) })).status,
      403,
      'right site, wrong token',
    );
    assert.equal((await asker.post(path, { form_token })).status, 403, 'another’s form');
    const admin = await makeToken(gateway, { kind: 'operator', roles: ['admin'] });
    const byToken = visitor(gateway);
    const own = formTokenOf(await byToken.signIn(admin.token));
    assert.equal(
      (await byToken.post(path, { form_token: own })).status,
      403,
      'a token is nobody in particular',
    );
    const approved = await approver.post(path, { form_token });
    assert.equal(approved.status, 200);
    assert.match(text(approved), /Approved\. The write is carried out/);
    assert.match(text(approved), /data-address="\/ui\/plans\/[0-9a-f]{64}"/);
    assert.equal((await approver.post(path, { form_token })).status, 409);
    const { 0: row } = (
      await gateway.send({ path: '/audit?event=plan_approved&limit=1', certificate: sam })
    ).json<{ operation: string; actor: { principal: string } }[]>();
    assert.equal(row?.operation, 'approvePlan');
    assert.equal(row?.actor.principal, 'operator:kim@example.com');
  });

  it('answers errors with a page for browsers and with JSON for others, by the same status', async () => {
    const { gateway, sam } = day;
    for (const [path, status] of [
      ['/ui/nothing', 404],
      ['/ui/clusters/nobody.example.com', 404],
      ['/ui/clusters/NOT-CANONICAL', 400],
      ['/ui?state=unheard', 400],
      ['/ui?offset=x', 400],
      ['/ui?unknown=1', 400],
      ['/ui/', 404],
      ['/ui/trust/', 404],
      [`/ui/plans/${'0'.repeat(64)}`, 404],
    ] as const) {
      const page = await gateway.send({ path, certificate: sam, headers: HTML });
      assert.equal(page.status, status, path);
      assert.match(String(page.headers['content-type']), /^text\/html/);
      const json = await gateway.send({ path, certificate: sam });
      assert.equal(json.status, status, path);
      assert.equal(typeof json.json()['error'], 'string');
    }
    for (const path of ['/ui', '/ui/trust', '/ui/nothing']) {
      const put = await gateway.send({ method: 'PUT', path, certificate: sam, headers: HTML, body: {} });
      assert.equal(put.status, path === '/ui/nothing' ? 404 : 405, path);
    }
  });

  it('has its own files, by their exact names, and no others', async () => {
    const { gateway, sam } = day;
    const page = text(await gateway.send({ path: '/ui', headers: HTML }));
    const names = [...page.matchAll(/"(\/ui\/assets\/[^"]+)"/g)].map(([, name = '']) => name);
    assert.equal(names.length, 3);
    for (const path of names) {
      const answer = await gateway.send({ path });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    const [css = ''] = names;
    for (const path of [
      '/ui/assets/page.css',
      '/ui/assets/',
      '/ui/assets',
      '/ui/assets/..',
      '/ui/assets/../handlers.ts',
      '/ui/assets/%2e%2e/handlers.ts',
      '/ui/assets/..%2fhandlers.ts',
      '/ui/assets//page.css',
      '/ui/assets/page-0000000000000000.css',
      '/ui/assets/constructor',
      '/ui/assets/__proto__',
      `${css}/`,
      `${css}%00`,
      `${css}.map`,
      css.toUpperCase(),
    ]) {
      const answer = await gateway.send({ path, certificate: sam });
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
    }
  });
});

describe('the status page, from elsewhere', () => {
  it('is 403 before any credential is looked at, its form and its files too, and tells nothing', async (t) => {
    const gateway = await startTestGateway(t, { environment: { OPERATOR_NETWORKS: '127.0.0.2/32' } });
    const certificate = await gateway.pki.operator('op@example.com');
    const inside = visitor(gateway, { localAddress: '127.0.0.2' });
    const page = await inside.signIn(WRITE_TOKEN);
    const [asset = ''] = /\/ui\/assets\/[^"]+/.exec(text(page)) ?? [];
    const outside = visitor(gateway);
    for (const [name, value] of inside.cookies) outside.cookies.set(name, value);
    for (const path of [...PAGES, '/ui/events', asset]) {
      for (const credential of [{}, { certificate }, { token: WRITE_TOKEN }]) {
        const answer = await outside.get(path, credential);
        assert.equal(answer.status, 403, path);
        assert.doesNotMatch(text(answer), /demo-cluster|form_token/);
      }
    }
    const form_token = formTokenOf(page);
    const [right, wrong] = await Promise.all(
      [WRITE_TOKEN, 'not-the-write-token-0000'].map((token) => outside.post('/ui', { token, form_token })),
    );
    assert.equal(right?.status, 403);
    const withoutId = (answer: string): string => answer.replaceAll(/<code>[0-9a-f]{24}<\/code>/g, '');
    assert.equal(withoutId(text(right as never)), withoutId(text(wrong as never)));
  });

  it('is not there in read-only mode: 404 and 405 in JSON, whatever a browser accepts', async (t) => {
    const gateway = await startTestGateway(t, { environment: { API_MODE: 'read-only' } });
    const certificate = await gateway.pki.operator('op@example.com');
    for (const path of [...PAGES, '/ui/events']) {
      const answer = await gateway.send({ path, certificate, headers: HTML });
      assert.equal(answer.status, 404);
      assert.equal(answer.json()['error'], 'not_found');
    }
    assert.equal(
      (await visitor(gateway).post('/ui', { token: WRITE_TOKEN, form_token: 'A'.repeat(43) })).status,
      405,
    );
  });

  it('takes no token where certificates are required, and says so', async (t) => {
    const gateway = await startTestGateway(t, { environment: { CLIENT_CERT: 'required' } });
    const answer = await gateway.send({ path: '/ui', headers: HTML });
    assert.equal(answer.status, 401);
    assert.match(text(answer), /operator certificates only/);
    assert.doesNotMatch(text(answer), /<form/);
    const certificate = await gateway.pki.operator('op@example.com');
    assert.equal((await gateway.send({ path: '/ui', headers: HTML, certificate })).status, 200);
  });

  it('is refused to a cluster’s certificate, sign-in and files too', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
    const stolen = visitor(gateway);
    const page = await stolen.signIn(WRITE_TOKEN);
    const [asset = ''] = /\/ui\/assets\/[^"]+/.exec(text(page)) ?? [];
    for (const path of [...PAGES, '/ui/clusters/demo-cluster-01.k8s.example.com', '/ui/events', asset]) {
      // With an operator's cookie beside it: the certificate alone decides.
      assert.equal((await stolen.get(path, { certificate })).status, 403, path);
    }
    const form = { token: WRITE_TOKEN, form_token: formTokenOf(page) };
    assert.equal((await stolen.post('/ui', form, { certificate })).status, 403);
  });
});
