import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { StartupError } from '../../core/errors.ts';
import { answered, recordOf } from '../api/pages.ts';
import { openSession, type Session } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ask, canAsk } from '../output/ask.ts';
import { yamlText } from '../output/documents.ts';
import { shellWord, shown } from '../output/text.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { parseValue } from './documents-in.ts';
import { type ObjectKind, objectPath } from './kinds.ts';
import { tell } from './write.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Opens the object in $EDITOR, shows the plan of what was changed, and sends it as a patch of the very version that was opened. What
 * the gateway does not take is opened again with the reason on top. What was typed is never lost: a failure says where it is kept.
 */
export async function editObject(
  context: TerminalContext,
  kind: ObjectKind,
  id: string,
  options: WriteOptions,
): Promise<void> {
  const session = await openSession(context, options);
  const answer = await answered(session.send, { path: objectPath(kind, id) });
  const before = recordOf(answer);
  const etag = answer.headers.etag;
  const editor = editorOf(context, kind, id);
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-edit-'));
  const file = join(directory, `${kind.name}.yaml`);
  const editing = { context, session, kind, id, before, file, editor };
  try {
    await editUntilTaken(editing, etag === undefined ? options : { ...options, ifMatch: etag });
  } catch (error) {
    if (error instanceof CommandFailed && error.message !== '') {
      throw new CommandFailed(`${error.message}\nwhat you typed is in ${file}`, error, error.exitCode);
    }
    throw error;
  }
  await rm(directory, { recursive: true, force: true });
}

interface Editing {
  readonly context: TerminalContext;
  readonly session: Session;
  readonly kind: ObjectKind;
  readonly id: string;
  readonly before: Fields;
  readonly file: string;
  readonly editor: Editor;
}

interface Editor {
  /** May have arguments, as with git. */
  readonly command: string;
  /** undefined: there is a terminal. */
  readonly instead: string | undefined;
}

async function editUntilTaken(editing: Editing, options: WriteOptions): Promise<void> {
  const { context, session, kind, id, before, file, editor } = editing;
  let text = yamlText(before);
  let problem: string | undefined;
  for (;;) {
    const offered = `${heading(kind, id, problem)}${text}\n`;
    await writeFile(file, offered, { mode: 0o600 });
    await openEditor(context, editor, file);
    const saved = await readFile(file, 'utf8');
    text = withoutHeading(saved);
    try {
      const after = parseValue(file, text);
      if (typeof after !== 'object' || after === null) throw new StartupError('must be one object');
      if (isDeepStrictEqual(after, before)) {
        context.print(`${kind.name}/${shown(id)} unchanged`);
        return;
      }
      const request = {
        method: 'PATCH',
        path: objectPath(kind, id),
        body: mergePatch(before, after),
      } as const;
      const planFirst = canAsk(context);
      const answer = await carryOut(context, session, { request, reason: true, planFirst }, options);
      if (answer !== undefined) tell(context, kind, recordOf(answer), 'changed', options);
      return;
    } catch (error) {
      const mayBeCorrected =
        error instanceof StartupError || (error instanceof CommandFailed && error.exitCode === EXIT.invalid);
      // An editor that saves the same again has given up, or is a script.
      if (!mayBeCorrected || saved === offered || !canAsk(context)) throw failed(error);
      problem = error.message;
      context.terminal.errors.write(`${problem}\n`);
      const answer = await ask(context, 'Edit it again? [yes] ');
      if (answer === undefined || !/^(|y|yes)$/i.test(answer)) throw failed(error);
    }
  }
}

function failed(error: unknown): unknown {
  return error instanceof StartupError ? new CommandFailed(error.message, error, EXIT.invalid) : error;
}

function heading(kind: ObjectKind, id: string, problem: string | undefined): string {
  const lines = [
    `# ${kind.name}/${shown(id)}: save to see what it would change, or leave it as it is to change nothing.`,
    '# Lines at the top that begin with # are not part of it.',
    ...(problem ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `#! ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function withoutHeading(text: string): string {
  return text.replace(/^(?:#[^\n]*\n)*/, '').trimEnd();
}

/** RFC 7396: what makes the one out of the other. */
function mergePatch(before: Fields, after: object): Fields {
  const patch: Record<string, unknown> = {};
  const to = after as Fields;
  for (const key of Object.keys(before)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const was = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isDeepStrictEqual(was, value)) continue;
    patch[key] = isRecord(was) && isRecord(value) ? mergePatch(was, value) : value;
  }
  return patch;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * $VISUAL, $EDITOR, vi. Without a terminal only one that is named, which may be a script: vi would wait for keys that nobody can press.
 * Throws StartupError.
 */
function editorOf({ environment, terminal }: TerminalContext, kind: ObjectKind, id: string): Editor {
  const named = environment['VISUAL'] || environment['EDITOR'];
  if (terminal.input.isTTY === true && terminal.output.isTTY === true) {
    return { command: named || 'vi', instead: undefined };
  }
  const object = `${kind.name} patch ${shellWord(shown(id))}`;
  const instead = `without a terminal: fluxgate ${object} --patch '{"FIELD": …}', or ${kind.name} get, and apply -f FILE`;
  if (!named) throw new StartupError(`edit opens an editor, and $EDITOR names none that works ${instead}`);
  return { command: named, instead };
}

async function openEditor(
  context: TerminalContext,
  { command, instead }: Editor,
  file: string,
): Promise<void> {
  const release = context.holdInterrupts();
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn('/bin/sh', ['-c', `${command} "$1"`, 'sh', file], {
        // Where nobody can type, an editor that reads keys finds the end of them.
        stdio: [instead === undefined ? 'inherit' : 'ignore', 'inherit', 'inherit'],
      });
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return;
    const next = instead === undefined ? '' : ` (${instead})`;
    throw new CommandFailed(`the editor (${command}) ended with ${code}: nothing was written${next}`);
  } finally {
    release();
  }
}
