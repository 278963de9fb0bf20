import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { LIMITS } from '../../../src/core/limits.ts';
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

  it('has a line that is made later where it was written, before the next that is not', async () => {
    const file = join(directory, 'late');
    const descriptor = openSync(file, 'w');
    const destination = createLogDestination(descriptor);
    destination.write('one\n');
    destination.writeLate({ text: () => 'two\n' });
    destination.writeLate({ text: () => 'three\n' });
    destination.write('four\n');
    destination.writeLate({ text: () => 'five\n' });
    await until(file, 'one\ntwo\nthree\nfour\nfive\n');
    closeSync(descriptor);
  });

  it('makes none while its writer waits, and never leaves more than a few unmade', async () => {
    const destination = createLogDestination(openSync(join(directory, 'few'), 'w'));
    let made = 0;
    const line = { text: () => `${++made}\n` };
    for (let n = 1; n < LIMITS.logLateLinesMax; n++) destination.writeLate(line);
    assert.equal(made, 0);
    destination.writeLate(line);
    assert.equal(made, LIMITS.logLateLinesMax);
    destination.writeLate(line);
    destination.end();
    assert.equal(made, LIMITS.logLateLinesMax + 1, 'an end makes the rest');
    destination.writeLate(line);
    assert.equal(made, LIMITS.logLateLinesMax + 2, 'and behind it nothing waits');
    const all = Array.from({ length: made }, (_, n) => `${n + 1}\n`).join('');
    await until(join(directory, 'few'), all);
  });

  it('loses no line that is yet to be made to a fault that ends the process', () => {
    const file = join(directory, 'late-fault');
    const descriptor = openSync(file, 'w');
    const destination = createLogDestination(descriptor);
    const long = '.'.repeat(LIMITS.logFlushOctets / 2);
    for (let n = 0; n < 5; n++) destination.writeLate({ text: () => `${n} ${long}\n` });
    destination.flushSync();
    assert.equal(readFileSync(file, 'utf8'), Array.from({ length: 5 }, (_, n) => `${n} ${long}\n`).join(''));
    closeSync(descriptor);
  });

  it('of two processes that write into one pipe is made of whole lines, however slowly they are read', async () => {
    const module = new URL('../../../src/shell/log-destination.ts', import.meta.url).href;
    const program = `const { createLogDestination } = await import(${JSON.stringify(module)});
      const log = createLogDestination(1, true);
      for (let n = 0; n < 20_000; n++) {
        const text = \`\${process.argv[1]} \${n} \${'.'.repeat((n * 37) % 700)} end\\n\`;
        if (n % 7 === 0) log.write(text);
        else log.writeLate({ text: () => text });
      }
      log.end();`;
    const reader = spawn('sh', [
      '-c',
      '("$0" -e "$1" a & "$0" -e "$1" b & wait) | (sleep 1; cat)',
      process.execPath,
      program,
    ]);
    let text = '';
    for await (const chunk of reader.stdout.setEncoding('utf8')) text += chunk;
    const read = text.split('\n').slice(0, -1);
    const broken = read.filter((line) => !/^[ab] \d+ \.* end$/.test(line));
    assert.deepEqual(
      broken.map((line) => line.slice(0, 80)),
      [],
    );
    for (const writer of ['a', 'b']) {
      const numbers = read
        .filter((line) => line.startsWith(`${writer} `))
        .map((line) => Number(line.split(' ')[1]));
      assert.deepEqual(numbers, [...numbers.keys()]);
      assert.equal(numbers.length, 20_000);
    }
  });

  it('loses no line to a fault that ends the process, whatever its threads are busy with', async () => {
    const file = join(directory, 'fault');
    const busy = Array.from({ length: 4 }, () => promisify(pbkdf2)('', '', 1_000_000, 32, 'sha512'));
    const descriptor = openSync(file, 'w');
    const destination = createLogDestination(descriptor);
    destination.write('one\n');
    destination.write('two\n');
    destination.flushSync();
    assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
    await Promise.all(busy);
    assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
    closeSync(descriptor);
  });
});
