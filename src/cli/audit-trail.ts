import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ChainEnd, type ChainProblem, createChainCheck } from '../core/audit/chain.ts';
import { type AuditHead, isSignedBy } from '../core/audit/head.ts';
import { StartupError } from '../core/errors.ts';
import { type AuditTrail, createAuditTrail } from '../shell/store/audit-records.ts';
import { openStoreFile, readStoreFacts } from '../shell/store/backup.ts';
import { type CommandContext, CommandFailed } from './context.ts';
import { databasePath } from './database-option.ts';

export interface AuditVerifyOptions {
  readonly database?: string;
  /** A file with an answer of GET /audit/head, kept elsewhere. */
  readonly head?: string;
  /** PEM; the public half of AUDIT_SIGNING_KEY_FILE, or a certificate. */
  readonly key?: string;
}

/** Reads the whole trail of a store, live or not. Throws CommandFailed naming the first row that is wrong. */
export async function auditVerify(context: CommandContext, options: AuditVerifyOptions): Promise<void> {
  const path = databasePath(context, options.database);
  const head = options.head === undefined ? undefined : await readHead(options.head, options.key);
  if (head === undefined && options.key !== undefined) {
    throw new StartupError('--key checks the signature of a head: name one with --head FILE');
  }
  const database = openStoreFile(path);
  try {
    readStoreFacts(database, path);
    const end = verify(createAuditTrail(database), head);
    context.print(
      `the audit trail is whole: ${end.sequence} rows, ending in ${end.hash}` +
        (head === undefined ? '' : `; it holds the head of ${head.at} at row ${head.sequence}`),
    );
    if (head === undefined) {
      context.print(
        'whoever can write the file can write a new trail: compare with a head that was kept elsewhere (--head)',
      );
    }
  } finally {
    database.close();
  }
}

/** One entry a line, with its number and hash, in the order of the trail. */
export async function auditExport(
  context: CommandContext,
  options: { readonly database?: string },
): Promise<void> {
  const path = databasePath(context, options.database);
  const database = openStoreFile(path);
  try {
    readStoreFacts(database, path);
    for (const { sequence, hash, document } of createAuditTrail(database).rows()) {
      // The document as it was hashed: whoever keeps these lines can check the chain again.
      context.print(`{"sequence":${sequence},"hash":"${hash}","document":${document}}`);
    }
  } finally {
    database.close();
  }
}

function verify(trail: AuditTrail, head: AuditHead | undefined): ChainEnd {
  const chain = createChainCheck();
  let seen = false;
  for (const row of trail.rows()) {
    const problem = chain.check(row);
    if (problem !== undefined) throw broken(problem);
    if (row.sequence !== head?.sequence) continue;
    seen = true;
    if (row.hash !== head.hash) {
      throw broken({
        sequence: row.sequence,
        problem: `row ${row.sequence} is not the one of the head of ${head.at}: the trail was written anew`,
      });
    }
  }
  const { sequence } = chain.end;
  const last = trail.lastSequence();
  if (last > sequence) {
    throw broken({
      sequence: sequence + 1,
      problem: `rows ${sequence + 1} to ${last} are missing at the end`,
    });
  }
  if (head !== undefined && head.sequence > 0 && !seen) {
    const problem = `rows ${sequence + 1} to ${head.sequence} are missing at the end: the head of ${head.at} has them`;
    throw broken({ sequence: sequence + 1, problem });
  }
  return chain.end;
}

const broken = ({ problem }: ChainProblem): CommandFailed =>
  new CommandFailed(`the audit trail is NOT whole: ${problem}`);

async function readHead(path: string, keyPath: string | undefined): Promise<AuditHead> {
  const head = parseHead(await readText(path), path);
  if (keyPath === undefined) return head;
  let key: KeyObject;
  try {
    key = createPublicKey(await readText(keyPath));
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`${keyPath} holds no readable public key (PEM)`, error);
  }
  if (head.signature === undefined) {
    throw new CommandFailed(
      `${path} has no signature: the gateway that gave it runs without AUDIT_SIGNING_KEY_FILE. Without --key its numbers are compared all the same`,
    );
  }
  if (!isSignedBy(head, key)) throw new CommandFailed(`${path} is not signed by the key in ${keyPath}`);
  return head;
}

function parseHead(text: string, path: string): AuditHead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StartupError(`${path} is not JSON`, error);
  }
  const { sequence, hash, at, signature } = (value ?? {}) as Partial<Record<keyof AuditHead, unknown>>;
  if (
    !Number.isSafeInteger(sequence) ||
    typeof hash !== 'string' ||
    typeof at !== 'string' ||
    (signature !== undefined && typeof signature !== 'string')
  ) {
    throw new StartupError(`${path} is not an answer of GET /audit/head`);
  }
  return { sequence: sequence as number, hash, at, ...(signature === undefined ? {} : { signature }) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StartupError(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}
