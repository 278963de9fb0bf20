/** As much of the Dockerfile's language as ours uses; anything else throws, so that a new instruction gets a test of its own. */

export interface Instruction {
  readonly name: string;
  /** Flags such as `--from=build`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows the flags, with continuation lines joined and build arguments filled in. */
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

const KNOWN = new Set(
  'ARG COPY RUN WORKDIR LABEL ENV VOLUME USER EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' '),
);

export function parseDockerfile(content: string): Dockerfile {
  const buildArguments: Record<string, string> = {};
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  const lines = content
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  for (const line of lines) {
    const name = line.split(/\s/, 1)[0] ?? '';
    const filled = line
      .slice(name.length)
      .trim()
      .replaceAll(/\$\{(\w+)\}/g, (_, argument: string) => {
        const value = buildArguments[argument];
        if (value === undefined) throw new Error(`Dockerfile: \${${argument}} has no value`);
        return value;
      });
    if (name === 'FROM') {
      const [, base = '', stage] = /^(\S+)(?: AS (\S+))?$/.exec(filled) ?? [];
      stages.push({ base, name: stage, instructions: [] });
      continue;
    }
    if (!KNOWN.has(name)) throw new Error(`Dockerfile: no test knows ${name}`);
    const current = stages.at(-1);
    if (current === undefined) {
      const [argument = '', value = ''] = filled.split('=');
      if (name !== 'ARG') throw new Error(`Dockerfile: ${name} before FROM`);
      buildArguments[argument] = value;
      continue;
    }
    const { flags, text } = splitFlags(filled);
    current.instructions.push({ name, flags, text });
  }
  return { buildArguments, stages };
}

function splitFlags(rest: string): Pick<Instruction, 'flags' | 'text'> {
  const flags: Record<string, string> = {};
  let text = rest;
  for (;;) {
    const flag = /^--([a-z-]+)=(\S+)\s+/.exec(text);
    if (flag === null) return { flags, text };
    flags[flag[1] ?? ''] = flag[2] ?? '';
    text = text.slice(flag[0].length);
  }
}

/** `["a", "b"]`: the form that needs no shell. Throws for the other. */
export function execForm(text: string): readonly string[] {
  if (!text.startsWith('[')) throw new Error(`needs a shell, and there is none: ${text}`);
  return JSON.parse(text) as string[];
}

/** `A=b C="d e"`, of LABEL and ENV. */
export function pairs(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, key = '', quoted, bare] of text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)) {
    found[key] = quoted ?? bare ?? '';
  }
  return found;
}

/**
 * Whether a .dockerignore lets a path through: the last line that matches decides, and a line matches what is below it. Ours are
 * plain names and `*`, as a closed list that is opened name by name.
 */
export function dockerignore(content: string): (path: string) => boolean {
  const rules = content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ open: line.startsWith('!'), pattern: line.replace(/^!/, '') }));
  for (const { pattern } of rules) {
    if (pattern !== '*' && !/^[\w./-]+$/.test(pattern))
      throw new Error(`.dockerignore: no test knows ${pattern}`);
  }
  return (path) => {
    const matching = rules.filter(
      ({ pattern }) => pattern === '*' || path === pattern || path.startsWith(`${pattern}/`),
    );
    return matching.at(-1)?.open ?? true;
  };
}
