/** A new version of a component that every cluster has: planned, then committed, while polls go on at a steady rate. */
import { request } from 'node:https';
import type { MintedChain } from '../../test/support/pki.ts';
import { cellOf, type Figure } from '../harness/figures.ts';
import { type Measurement, mainStore, p99, pause, settle } from '../harness/measurement.ts';

/** How long polls go on before the write, and after it, at least. */
const AROUND_SECONDS = 0.5;

export const write: Measurement = {
  name: 'write',
  about: 'a catalogue write that touches every cluster, and polls meanwhile',
  method:
    'A new version of a component that every cluster has, by an operator; polls of 1,000 clusters begin at a fixed rate, whether or not others are answered. Each p99 is one round’s: beside a write of a second that is the second or third slowest of some 200.',
  async run(stage) {
    const { pace, restSeconds, writeRounds } = stage.size;
    const clusters = mainStore(stage);
    const gateway = await stage.shared(clusters);
    await stage.swept(clusters);
    const operator: Operator = {
      ...(await stage.pki.operator('writer@example.com')),
      port: gateway.port,
      ca: stage.pki.serverCa.pem,
    };
    await settle(stage, [gateway]);
    const pollers = Math.min(clusters, 1_000);
    const polls = (seconds: number) =>
      stage.visit({
        port: gateway.port,
        requests: Math.ceil(pace * seconds),
        atOnce: 1,
        perConnection: 1,
        perSecond: pace,
        who: { clusters, first: 0, step: Math.floor(clusters / pollers) },
      });
    const rest: number[] = [];
    const during: number[] = [];
    const longest: number[] = [];
    const plans: number[] = [];
    const commits: number[] = [];
    let expected = restSeconds;
    for (let round = 1; round <= writeRounds; round++) {
      stage.say(`write: round ${round} of ${writeRounds}`);
      rest.push(p99((await polls(restSeconds)).took));
      for (;;) {
        const beside = polls(expected + 2 * AROUND_SECONDS);
        await pause(AROUND_SECONDS * 1_000);
        const begun = performance.timeOrigin + performance.now();
        const { planMs, commitMs } = await change(operator, `2.${round}.${plans.length}`);
        const ended = performance.timeOrigin + performance.now();
        const { begun: starts, took } = await beside;
        const last = Math.max(...starts);
        plans.push(planMs);
        commits.push(commitMs);
        await settle(stage, [gateway]);
        // It took longer than the polls did: once more, with polls to its end.
        if (last < ended && expected < MAX_SECONDS) {
          expected = Math.min(MAX_SECONDS, ((ended - begun) / 1_000) * 1.5);
          continue;
        }
        const meanwhile = took.filter((ms, n) => (starts[n] ?? 0) < ended && (starts[n] ?? 0) + ms > begun);
        during.push(p99(meanwhile));
        longest.push(Math.max(...meanwhile));
        break;
      }
    }
    const both = plans.map((ms, n) => ms + (commits[n] ?? 0));
    const of = `the write for ${clusters.toLocaleString('en-GB')} clusters`;
    const figure = (id: string, what: string, values: readonly number[]): Figure => ({
      id: `write-${id}-${clusters}`,
      what,
      unit: 'ms',
      cells: { fluxgate: cellOf(values) },
    });
    return [
      figure('p99-rest', `p99 of ${pace} polls a second at rest`, rest),
      figure('p99-during', `p99 of ${pace} polls a second during ${of}`, during),
      figure('longest', `the slowest poll during ${of}`, longest),
      figure('plan', `plan of ${of}`, plans),
      figure('commit', `commit of ${of}`, commits),
      figure('both', `plan + commit of ${of}`, both),
    ];
  },
};

const MAX_SECONDS = 60;

interface Operator extends MintedChain {
  readonly port: number;
  readonly ca: string;
}

async function change(operator: Operator, version: string): Promise<{ planMs: number; commitMs: number }> {
  const path = '/platform_components/component-0';
  const body = JSON.stringify({ component_version: version });
  const begun = performance.now();
  const plan = await patch(operator, `${path}?dry_run=true`, body, {});
  const planned = performance.now();
  const { plan_hash: hash } = JSON.parse(plan) as { plan_hash?: string };
  await patch(operator, path, body, hash === undefined ? {} : { 'confirm-plan': hash });
  return { planMs: planned - begun, commitMs: performance.now() - planned };
}

/** Resolves with the answer's body. */
function patch(
  { port, ca, chainPem: cert, keyPem: key }: Operator,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const whole = { ...headers, 'content-type': 'application/merge-patch+json', host: 'localhost' };
  const options = { host: '127.0.0.1', servername: 'localhost', agent: false, method: 'PATCH' } as const;
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, port, ca, cert, key, path, headers: whole }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`a write was answered ${answer.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
