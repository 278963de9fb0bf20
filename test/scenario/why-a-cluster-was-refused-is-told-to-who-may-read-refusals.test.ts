import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ClientAnswer } from '../support/client.ts';
import { clusterStatusOf, fleetStatus, inputsPath } from '../support/fleet-status.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { HTML, text } from '../support/status-page.ts';
import { makeToken } from '../support/tokens.ts';

const [FIRST = '', SECOND = ''] = ['01', '02'].map((n) => `demo-cluster-${n}.k8s.example.com`);

const shown = (answer: ClientAnswer): string => text(answer).replaceAll('&#39;', "'");

describe('a cluster that was refused', () => {
  const gateway = shareGateway();
  /** The log's words. */
  let reason = '';

  before(async () => {
    const certificate = await gateway().pki.cluster(FIRST);
    const answer = await gateway().send({ path: inputsPath(SECOND), certificate });
    assert.equal(answer.status, 403);
    reason = String(gateway().logOf(answer)['reason']);
    assert.doesNotMatch(answer.body.toString(), new RegExp(RegExp.escape(reason)));
  });

  it('is shown with the reason to operators who may read refusals', async () => {
    const both = await makeToken(gateway(), { kind: 'operator', roles: ['viewer', 'security'] });
    for (const token of [WRITE_TOKEN, both.token]) {
      assert.equal((await gateway().send({ path: `/refusals?cluster_dns=${FIRST}`, token })).status, 200);
      const { clusters } = await fleetStatus(gateway(), '?state=refused', token);
      assert.deepEqual(
        clusters.map(({ refusal }) => refusal?.reason),
        [reason],
      );
      const page = await gateway().send({ path: '/ui', token, headers: HTML });
      assert.match(shown(page), new RegExp(RegExp.escape(reason)));
    }
    assert.equal((await clusterStatusOf(gateway(), FIRST)).refusal?.reason, reason);
  });

  it('is shown to others with what it was answered itself, on the page as well', async () => {
    for (const role of ['viewer', 'editor', 'approver']) {
      const { token } = await makeToken(gateway(), { kind: 'operator', roles: [role] });
      assert.equal((await gateway().send({ path: `/refusals?cluster_dns=${FIRST}`, token })).status, 403);
      for (const path of [
        '/fleet',
        '/fleet?state=refused',
        `/fleet/${FIRST}`,
        '/ui',
        `/ui/clusters/${FIRST}`,
      ]) {
        const headers = path.startsWith('/ui') ? HTML : {};
        const answer = await gateway().send({ path, token, headers });
        assert.equal(answer.status, 200, path);
        assert.doesNotMatch(shown(answer), new RegExp(RegExp.escape(reason)), `${role} ${path}`);
        assert.match(text(answer), /forbidden/, `${role} ${path}`);
      }
    }
  });

  it('is one refusal for one request, by the best evidence that there is', async () => {
    const certificate = await gateway().pki.cluster(FIRST);
    const path = `/fleet/${FIRST}`;
    assert.equal((await gateway().send({ path, certificate })).status, 403);
    const answer = await gateway().send({ path: `/refusals?cluster_dns=${FIRST}`, token: WRITE_TOKEN });
    const found = JSON.parse(text(answer)) as { path: string; known_by: string; count: number }[];
    assert.deepEqual(
      found.filter((one) => one.path === path).map(({ known_by, count }) => [known_by, count]),
      [['proven', 1]],
    );
  });
});
