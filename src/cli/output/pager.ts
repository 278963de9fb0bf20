import { spawn } from 'node:child_process';
import type { TerminalContext } from '../context.ts';

/** Prints; through $PAGER where the output is a terminal and the text is longer than it. */
export async function printPaged(
  context: TerminalContext,
  lines: readonly string[],
  pager: boolean,
): Promise<void> {
  const command = context.environment['PAGER'] ?? '';
  const { output } = context.terminal;
  const long = output.isTTY === true && lines.length >= output.rows;
  if (!pager || !long || command === '' || command === 'cat') {
    for (const line of lines) context.print(line);
    return;
  }
  const release = context.holdInterrupts();
  try {
    await new Promise<void>((resolve, reject) => {
      // As git does: what the text may hold of colours is shown, and what fits on a page does not stop.
      const child = spawn('/bin/sh', ['-c', command], {
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { LESS: 'FRX', ...context.environment },
      });
      child.once('error', reject);
      child.once('close', () => resolve());
      // Whoever has read enough closes the pipe.
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${lines.join('\n')}\n`);
    });
  } finally {
    release();
  }
}
