import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { allocatorVariables, ENGINE_OPTIONS } from '../../src/shell/sandbox.ts';
import { fluxgate } from '../support/spawned.ts';
import { serveEnvironment } from './serve-environment.ts';

/** What a process was started with, or put itself in its own place with. Some glibc leave a NUL for each colon when they have read it. */
function startedWith(pid: number): string | undefined {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8');
  return /(?:^|\0)GLIBC_TUNABLES=([^\0]*(?:\0glibc\.[^\0]*)*)/.exec(variables)?.[1]?.replaceAll('\0', ':');
}

/** Those of V8's options that it has, in their order. */
function engineOptionsOf(pid: number): readonly string[] {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return words.slice(0, words.indexOf('serve')).filter((word) => ENGINE_OPTIONS.includes(word));
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

describe('the process that serves', {
  skip: process.platform === 'linux' ? false : '/proc is of Linux',
}, () => {
  const { GLIBC_TUNABLES: ours } = allocatorVariables({});

  it('has its allocator and V8 told, in its sandbox and as one of several', async (t) => {
    const { environment } = await serveEnvironment(t);
    const alone = fluxgate(t, ['serve'], { environment: { ...environment, WORKERS: '1' } });
    await alone.said('"msg":"serving"');
    assert.equal(startedWith(alone.child.pid ?? 0), ours);
    assert.deepEqual(engineOptionsOf(alone.child.pid ?? 0), ENGINE_OPTIONS);
    alone.child.kill('SIGTERM');
    await alone.ended;
    const several = fluxgate(t, ['serve'], { environment: { ...environment, WORKERS: '2' } });
    await several.said('every worker was started');
    const workers = childrenOf(several.child.pid ?? 0);
    assert.equal(workers.length, 2);
    for (const worker of workers) {
      assert.equal(startedWith(worker), ours);
      assert.deepEqual(engineOptionsOf(worker), ENGINE_OPTIONS);
    }
  });

  it('has what somebody else has told it', async (t) => {
    const { environment } = await serveEnvironment(t);
    const GLIBC_TUNABLES = 'glibc.malloc.arena_max=3';
    const gateway = fluxgate(t, ['serve'], { environment: { ...environment, WORKERS: '1', GLIBC_TUNABLES } });
    await gateway.said('"msg":"serving"');
    assert.equal(startedWith(gateway.child.pid ?? 0), GLIBC_TUNABLES);
  });
});
