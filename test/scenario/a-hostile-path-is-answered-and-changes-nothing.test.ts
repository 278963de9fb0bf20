import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

/** A request target as octets (Latin-1), sent as it is, and the answer to it. `as`: anonymous, unless it says otherwise. */
interface PathCase {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly as?: 'writer';
}

const CORPUS = new URL('../corpus/paths.json', import.meta.url);
const cases = JSON.parse(readFileSync(CORPUS, 'utf8')) as PathCase[];

describe('request targets that no client of ours sends', () => {
  const gateway = shareGateway();
  let fleetBefore = '';
  before(async () => {
    fleetBefore = await gateway().fleet();
  });

  const ask = async ({ method, target }: PathCase, token?: string) => {
    const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
    const head = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${authorization}Connection: close\r\n\r\n`;
    const { answers, octets } = await exchange(gateway(), head);
    assert.equal(answers.length, 1, octets.slice(0, 500));
    const [answer] = answers;
    assert.ok(answer !== undefined);
    return answer;
  };

  for (const wanted of cases) {
    it(`${wanted.name}: ${wanted.status}`, async () => {
      const answer = await ask(wanted, wanted.as === 'writer' ? WRITE_TOKEN : undefined);
      assert.equal(answer.status, wanted.status, answer.body.slice(0, 300));
      assert.equal(answer.headers['location'], undefined);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.match(String(answer.headers['x-request-id']), /^[0-9a-f]{24}$/);
      if (wanted.status === 200) return;
      const body = JSON.parse(answer.body) as Record<string, string>;
      assert.equal(body['request_id'], answer.headers['x-request-id']);
      assert.ok(!answer.body.includes('attacker'), 'nothing of the request is echoed');
    });
  }

  it('answers a name that is not canonical alike for everybody: no credential makes it one', async () => {
    const certificate = await gateway().pki.cluster('demo-cluster-01.k8s.example.com');
    const names = cases.filter(({ name, status }) => name.startsWith('cluster name') && status === 400);
    assert.ok(names.length > 30);
    for (const wanted of names) {
      assert.equal((await ask(wanted, READ_TOKEN)).status, 400, wanted.name);
      const request = `GET ${wanted.target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      const { answers } = await exchange(gateway(), request, { certificate });
      assert.equal(answers[0]?.status, 400, wanted.name);
    }
  });

  it('leaves the fleet as it was, byte for byte', async () => {
    assert.equal(await gateway().fleet(), fleetBefore);
  });
});
