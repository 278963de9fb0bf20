import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { besiege } from '../support/siege.ts';

const DNS = 'demo-cluster-03.k8s.example.com';
const EVENTS = `/api/v2/flux/clusters/${DNS}/events`;
const EVENT =
  '{"involvedObject":{"kind":"ResourceSet","name":"x"},"severity":"error","message":"x","reason":"x"}';

const listOf = (entry: string, count: number): string => `[${Array(count).fill(entry).join()}]`;
const mapOf = (value: string, count: number): string =>
  `{${Array.from({ length: count }, (_, n) => `"k${n}":${value}`).join()}}`;

/** `first`: what the answer says first. */
type Case = readonly [method: string, path: string, body: string, first: RegExp];

const CASES: readonly Case[] = [
  [
    'PATCH',
    '/clusters/demo-cluster-01',
    `{"namespaces":${listOf('{}', 43_000)}}`,
    /^\/namespaces must have at most 5000/,
  ],
  [
    'PATCH',
    '/clusters/demo-cluster-01',
    `{"namespaces":${listOf('{}', 4_900)}}`,
    /^\/namespaces\/0\/id is required/,
  ],
  [
    'PATCH',
    '/clusters/demo-cluster-01',
    `{"platform_components":${listOf('{}', 20_000)}}`,
    /at most 1000 entries/,
  ],
  ['PATCH', '/clusters/demo-cluster-01', `{"rolebindings":${listOf('0', 60_000)}}`, /at most 5000 entries/],
  ['PATCH', '/clusters/demo-cluster-01', `{"labels":${mapOf('0', 49_000)}}`, /at most 256 fields/],
  ['PATCH', '/clusters/demo-cluster-01', `{"patches":{"x":${mapOf('0', 49_000)}}}`, /at most 1000 fields/],
  ['PATCH', '/clusters/demo-cluster-01', mapOf('0', 49_000), /is not a known field/],
  ['PUT', '/rolebindings/any', `{"subjects":${listOf('{}', 20_000)}}`, /at most 1000 entries/],
  [
    'POST',
    '/bulk',
    `{"select":{"environment":"dev"},"operations":${listOf('{}', 20_000)}}`,
    /at most 100 entries/,
  ],
  ['POST', '/import', `{"mode":"merge","files":${mapOf('0', 49_000)}}`, /^\/files/],
  [
    'POST',
    '/tokens',
    `{"name":"a","kind":"operator","roles":${listOf('"viewer"', 20_000)}}`,
    /at most 5 entries/,
  ],
];

interface Refusal {
  readonly error: string;
  readonly details?: readonly { readonly field: string; readonly problem: string }[];
}

it('a large body that is wrong throughout, or comes octet by octet, is refused in few words, and every cluster is served meanwhile', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.cluster(DNS);
  const fleet = await gateway.fleet();
  await besiege(gateway, async () => {
    for (const [method, path, body, first] of CASES) {
      const answer = await gateway.send({ method, path, body, token: WRITE_TOKEN });
      const what = `${method} ${path} ${body.slice(0, 40)}: ${answer.body.toString().slice(0, 300)}`;
      assert.equal(answer.status, 400, what);
      const { error, details = [] } = answer.json<Refusal>();
      assert.equal(error, 'validation_error', what);
      assert.deepEqual(details.length, 2, what);
      assert.match(`${details[0]?.field} ${details[0]?.problem}`, first);
      assert.match(details[1]?.problem ?? '', /only the first problem is told/);
    }

    const listed = `{"namespaces":${listOf('{}', 349_000)}}`;
    const long = await gateway.send({
      method: 'PATCH',
      path: '/clusters/any',
      body: listed,
      token: WRITE_TOKEN,
    });
    assert.equal(long.status, 400);
    assert.match(String(long.json()['message']), /more than 100000 values/);

    const metadata = EVENT.replace(/}$/, `,"metadata":${mapOf('0', 20_000)}}`);
    const event = await gateway.send({ method: 'POST', path: EVENTS, body: metadata, certificate });
    assert.equal(event.status, 400);
    assert.match(String(event.json()['message']), /more than 1000 values/);

    const head = `POST ${EVENTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const octets = [...`${EVENT}${' '.repeat(250_000)}`].map((octet) => `1\r\n${octet}\r\n`);
    const { answers, ended } = await exchange(gateway, `${head}${octets.join('')}0\r\n\r\n`, { certificate });
    assert.ok(ended, 'the connection is over');
    // A reset may overtake the answer: then there is none.
    assert.ok(answers.length <= 1);
    for (const { status, body } of answers) {
      assert.equal(status, 400, body);
      assert.match(body, /too many small pieces/);
    }
    const said = gateway.log.find((line) => /too many small pieces/.test(JSON.stringify(line)));
    assert.ok(said, 'the log says why');
  });

  const honest = await exchange(
    gateway,
    `POST ${EVENTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
      `${[...EVENT].map((octet) => `1\r\n${octet}\r\n`).join('')}0\r\n\r\n`,
    { certificate },
  );
  assert.deepEqual(
    honest.answers.map(({ status }) => status),
    [202],
  );
  assert.equal(await gateway.fleet(), fleet);
});
