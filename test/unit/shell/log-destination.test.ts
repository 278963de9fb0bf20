import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createLogDestination } from '../../../src/shell/log-destination.ts';

describe('the log', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-log-'));
  after(() => rm(directory, { recursive: true, force: true }));
  const lines = Array.from({ length: 2_000 }, (_, n) => `${n} ${'.'.repeat(n % 50)}\n`);
  const whole = lines.join('');
  const until = async (file: string, text: string): Promise<void> => {
    while (readFileSync(file, 'utf8') !== text) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('is written in its order, few lines and many, without anybody asking', async () => {
    const file = join(directory, 'asked');
    const descriptor = openSync(file, 'w');
    const destination = createLogDestination(descriptor);
    destination.write('one\n');
    await until(file, 'one\n');
    for (const line of lines) destination.write(line);
    destination.write('last\n');
    await until(file, `one\n${whole}last\n`);
    closeSync(descriptor);
  });

  it('loses no line to an orderly end', async () => {
    const file = join(directory, 'ended');
    const destination = createLogDestination(openSync(file, 'w'));
    for (const line of lines) destination.write(line);
    destination.end();
    destination.write('behind the end\n');
    await until(file, `${whole}behind the end\n`);
  });

  it('loses no line to a fault that ends the process', () => {
    const file = join(directory, 'fault');
    const descriptor = openSync(file, 'w');
    const destination = createLogDestination(descriptor);
    destination.write('one\n');
    destination.write('two\n');
    destination.flushSync();
    assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
    closeSync(descriptor);
  });
});
