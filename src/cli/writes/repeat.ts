import type { TerminalContext } from '../context.ts';
import { shellWord } from '../output/text.ts';

const WITH_VALUE = ['--plan-hash'];
const SECRET = ['--api-token', '--write-token'];
const ALONE = ['--yes', '--dry-run', '--diff'];

/** The command that was typed, with its plan confirmed: to be copied into a shell. No secret is in it. */
export function commandToRepeat({ invocation, arguments: args }: TerminalContext, planHash?: string): string {
  const kept: string[] = [];
  const [first = ''] = args;
  for (let i = first === 'plan' || first === 'diff' ? 1 : 0; i < args.length; i++) {
    const word = args[i] ?? '';
    const [flag = ''] = word.split('=', 1);
    if (ALONE.includes(word)) continue;
    if (WITH_VALUE.includes(flag)) {
      if (!word.includes('=')) i++;
      continue;
    }
    if (SECRET.includes(flag)) {
      kept.push(flag, 'TOKEN');
      if (!word.includes('=')) i++;
      continue;
    }
    kept.push(shellWord(word));
  }
  const hash = planHash === undefined ? '' : ` --plan-hash ${planHash}`;
  return `${invocation} ${kept.join(' ')} --yes${hash}`;
}
