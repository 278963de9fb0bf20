/** The flags of `apiOptions` that take a value: which gateway, and who asks. They may also stand before the command, as flux-resourceset-cli has them. */
export const API_FLAGS = Object.freeze([
  '--url',
  '--api-url',
  '--ca',
  '--cert',
  '--key',
  '--token-file',
  '--api-token',
  '--write-token',
  '--context',
]);

/** Families whose commands write, and so have a plan. */
const WRITERS = [
  'cluster',
  'component',
  'platform-component',
  'namespace',
  'rolebinding',
  'revision',
  'import',
];

/**
 * Three ways of saying the same, made one: flags of the gateway before the command (as flux-resourceset-cli has them) go behind
 * it; `plan COMMAND …` and `diff COMMAND …` are COMMAND with --dry-run and --diff; `help COMMAND …` is COMMAND … --help.
 */
export function normalisedArguments(args: readonly string[]): readonly string[] {
  let at = 0;
  while (at < args.length) {
    const [flag = ''] = (args[at] ?? '').split('=', 1);
    if (!API_FLAGS.includes(flag)) break;
    at += args[at]?.includes('=') === true ? 1 : 2;
  }
  const leading = args.slice(0, at);
  const [first, second, ...rest] = args.slice(at);
  if (first === 'help') return normalisedArguments([...args.slice(at + 1), '--help']);
  const behind = (words: readonly string[], added: readonly string[]): readonly string[] => {
    const end = words.indexOf('--');
    const until = end === -1 ? words.length : end;
    return [...words.slice(0, until), ...added, ...words.slice(until)];
  };
  const foresees = (first === 'plan' || first === 'diff') && second !== undefined && WRITERS.includes(second);
  if (foresees) return behind([second, ...rest], [...leading, first === 'plan' ? '--dry-run' : '--diff']);
  return behind(args.slice(at), leading);
}
