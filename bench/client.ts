/** A client on a thread of its own, so that its work is none of the gateway's: polls all the time, and asks what it is told to ask. */
import { Agent, request } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface Told {
  readonly status: number;
  readonly octets: number;
  /** Polls that were answered meanwhile, and what the slowest of them took in ms. */
  readonly polls: number;
  readonly slowestPoll: number;
}

const { port, ca, token } = workerData as { port: number; ca: string; token: string };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function send({ method, path, body }: Asked, through: Agent): Promise<{ status: number; octets: number }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    const sent = request({ port, ca, method, path, headers, agent: through, host: 'localhost' }, (answer) => {
      let octets = 0;
      answer.on('data', (chunk: Buffer) => {
        octets += chunk.length;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, octets }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

let polls = 0;
let slowestPoll = 0;
async function poll(): Promise<void> {
  for (;;) {
    const begin = performance.now();
    await send({ method: 'GET', path: '/health' }, agent);
    polls += 1;
    slowestPoll = Math.max(slowestPoll, performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

parentPort?.on('message', async (asked: Asked) => {
  polls = 0;
  slowestPoll = 0;
  const through = new Agent();
  const answer = await send(asked, through);
  through.destroy();
  parentPort?.postMessage({ ...answer, polls, slowestPoll } satisfies Told);
});
void poll();
