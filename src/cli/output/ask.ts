import { createInterface } from 'node:readline';
import type { TerminalContext } from '../context.ts';

/** Whether there is somebody to ask: both what is typed and what is shown are terminals. */
export function canAsk({ terminal }: TerminalContext): boolean {
  return terminal.input.isTTY === true && terminal.errors.isTTY === true;
}

/** What was typed, on standard error so that standard output can go elsewhere; undefined: Ctrl-C, or the end of input. */
export function ask({ terminal }: TerminalContext, question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const reader = createInterface({ input: terminal.input, output: terminal.errors, terminal: true });
    reader.once('close', () => resolve(undefined));
    reader.once('SIGINT', () => reader.close());
    reader.question(question, (answer) => {
      resolve(answer.trim());
      reader.close();
    });
  });
}
