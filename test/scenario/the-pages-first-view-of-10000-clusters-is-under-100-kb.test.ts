import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shareGateway } from '../support/shared-gateway.ts';
import { HTML, text } from '../support/status-page.ts';
import { CLUSTERS, prepareTenThousand } from '../support/ten-thousand.ts';

const BYTES_MAX = 100_000;

describe('with 10,000 clusters', () => {
  const gateway = shareGateway({ prepare: prepareTenThousand });

  for (const [what, path] of [
    ['the first view, right after a start', '/ui'],
    ['the first view', '/ui'],
    ['the last page', '/ui?offset=9950'],
    ['a search', '/ui?q=0042'],
    ['one environment', '/ui?environment=prod&state=current'],
    ['those that are overdue', '/ui?state=overdue'],
    ['certificates that end soon', '/ui?expires_within=30d'],
    ['one cluster', '/ui/clusters/cluster-00042.k8s.example.com'],
    ['trust', '/ui/trust'],
  ] as const) {
    it(`${what}: at most ${BYTES_MAX} bytes`, async (t) => {
      const certificate = await gateway().pki.operator('op@example.com');
      const answer = await gateway().send({ path, certificate, headers: HTML });
      assert.equal(answer.status, 200);
      const { length } = answer.body;
      assert.ok(length <= BYTES_MAX, `${length} bytes`);
      // Its own files besides, which a browser asks for once.
      let files = 0;
      for (const [, name = ''] of text(answer).matchAll(/"(\/ui\/assets\/[^"]+)"/g)) {
        files += (await gateway().send({ path: name })).body.length;
      }
      assert.ok(length + files <= BYTES_MAX, `${length} and ${files} bytes`);
      const { duration_ms: took } = gateway().logOf(answer);
      t.diagnostic(`${what}: ${length} bytes and ${files} of its files, in ${took} ms of the server's time`);
    });
  }

  it('the first view, again and again: its time is reported, for a machine that is shared says nothing', async (t) => {
    const certificate = await gateway().pki.operator('op@example.com');
    const took: number[] = [];
    for (let n = 0; n < 15; n++) {
      const answer = await gateway().send({ path: '/ui', certificate, headers: HTML });
      took.push(Number(gateway().logOf(answer)['duration_ms']));
    }
    took.sort((a, b) => a - b);
    assert.equal(took.length, 15);
    t.diagnostic(`the first view: ${took[7]} ms of the server's time in the median, ${took[0]} at best`);
  });

  it('all are counted, and each is on its page', async () => {
    const certificate = await gateway().pki.operator('op@example.com');
    const page = async (path: string): Promise<string> =>
      text(await gateway().send({ path, certificate, headers: HTML }));
    assert.match(await page('/ui'), /10,000 clusters/);
    assert.match(await page('/ui?offset=9950'), /9,951–10,000 of 10,000/);
    assert.match(await page('/ui?state=overdue'), /100 clusters that are overdue/);
    assert.match(await page('/ui?q=cluster-00042'), /1 cluster</);
    assert.match(
      await page(`/ui?environment=qa`),
      new RegExp(`${(CLUSTERS / 4).toLocaleString('en')} clusters`),
    );
    const [, anchor = ''] = /<option value="([0-9a-f]{64})">[^<]*\(1,000\)/.exec(await page('/ui')) ?? [];
    assert.match(await page(`/ui?anchor=${anchor}`), /1,000 clusters/);
  });
});
