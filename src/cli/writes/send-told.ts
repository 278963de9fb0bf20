import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteStep } from '../../core/fleet/progress.ts';
import { recordOf } from '../api/pages.ts';
import type { ApiAnswer, ApiRequest, SendRequest } from '../api/transport.ts';
import type { Progress } from '../output/progress.ts';

/** How often the gateway is asked how far it is, and how often where it does not know: one of its other processes does. */
const ASK_MS = 200;
const ASK_AGAIN_MS = 500;

/** Below it the body is gone before a bar could be seen. */
const UPLOAD_SHOWN_OCTETS = 1_048_576;
const KIB = 1_024;

/** The gateway's steps, with what it counts in each. */
const STEPS: Readonly<Record<Exclude<WriteStep, 'waiting'>, readonly [doing: string, unit: string]>> =
  Object.freeze({
    reading: ['the gateway reads', 'files'],
    comparing: ['the gateway compares', 'objects'],
    checking: ['the gateway checks', 'objects'],
    planning: ['the gateway plans', 'clusters'],
    writing: ['the gateway writes', 'objects'],
  });

/**
 * Sends a write, and asks beside it how far it has come. The write's own answer alone says how it ended: whoever cannot be told
 * (an older gateway, another of its processes, too little right) sees the seconds go by.
 */
export async function sendTold(
  send: SendRequest,
  wanted: ApiRequest,
  progress: Progress,
  what: string,
): Promise<ApiAnswer> {
  const id = randomUUID();
  const over = new AbortController();
  const sent = (octets: number, total: number): void => {
    if (total < UPLOAD_SHOWN_OCTETS || over.signal.aborted) return;
    progress.at('sending', Math.floor(octets / KIB), Math.floor(total / KIB), 'KiB');
    if (octets === total) progress.waiting(what);
  };
  const asking = askHowFar(send, id, progress, over.signal);
  try {
    return await send({ ...wanted, headers: { ...wanted.headers, 'progress-id': id }, sent });
  } finally {
    over.abort();
    await asking;
  }
}

/** Never rejects: it stops, as soon as there is nothing more to hear. */
async function askHowFar(
  send: SendRequest,
  id: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  let waits = false;
  let pauseMs = ASK_MS;
  try {
    for (;;) {
      await sleep(pauseMs, undefined, { signal });
      const answer = await send({ path: `/progress/${id}`, signal });
      if (answer.status !== 200 && answer.status !== 404) return;
      pauseMs = answer.status === 200 ? ASK_MS : ASK_AGAIN_MS;
      if (answer.status === 404 || signal.aborted) continue;
      const { step, done, total } = recordOf(answer);
      if (step === 'waiting' && !waits) progress.waiting('the gateway carries out other writes first');
      waits = step === 'waiting';
      if (!isStep(step) || !isCount(done)) continue;
      const [doing, unit] = STEPS[step];
      progress.at(doing, done, isCount(total) ? total : undefined, unit);
    }
  } catch {
    // Told or not, the write goes on.
  }
}

const isStep = (step: unknown): step is keyof typeof STEPS =>
  typeof step === 'string' && Object.hasOwn(STEPS, step);

const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0;
