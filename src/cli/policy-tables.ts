import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { createPolicyEngine, type PolicyEngine } from '../core/policy/decide.ts';
import { type DecisionTable, readDecisionTable, runTable } from '../core/policy/decision-table.ts';
import type { OperationTable } from '../core/policy/operations.ts';
import { loadContract } from '../shell/contract.ts';
import { readPolicies, readText, SHIPPED_POLICY_DIR } from '../shell/snapshot-files.ts';
import { type CommandContext, CommandFailed } from './context.ts';

/** Where tables are, below the policies that they are held against. */
const TABLES = 'tests';

/** What the gateway asks of its policies before it starts with them. Throws CommandFailed: FILE:LINE:COLUMN and why. */
export async function policyCheck(context: CommandContext, directory: string | undefined): Promise<void> {
  const { engine, from } = await load(context, directory);
  context.print(`${from}: ${engine.policyIds.length} policies, and nothing wrong with them`);
}

/** Holds the policies against the decision tables beside them. Throws CommandFailed with each decision that differs. */
export async function policyTest(context: CommandContext, directory: string | undefined): Promise<void> {
  const { engine, operations, from } = await load(context, directory);
  const tables = await readTables(join(from, TABLES), operations);
  const wrong: string[] = [];
  const spokenOf = new Set<string>();
  let taken = 0;
  for (const table of tables) {
    const outcome = runTable(table, engine);
    taken += outcome.taken;
    wrong.push(...outcome.wrong);
    for (const id of outcome.operations) spokenOf.add(id);
  }
  const silent = operations.all.map(({ operationId }) => operationId).filter((id) => !spokenOf.has(id));
  if (silent.length > 0) context.print(`no table speaks of: ${silent.join(', ')}`);
  if (wrong.length > 0) {
    throw new CommandFailed(
      [...wrong, `${wrong.length} of ${taken} decisions are not as the tables have them`].join('\n'),
    );
  }
  context.print(`${taken} decisions of ${tables.length} tables are as they should be`);
}

interface LoadedPolicies {
  readonly engine: PolicyEngine;
  readonly operations: OperationTable;
  readonly from: string;
}

async function load(context: CommandContext, directory: string | undefined): Promise<LoadedPolicies> {
  const from = directory ?? context.environment['POLICY_DIR'] ?? SHIPPED_POLICY_DIR;
  const { operations } = await loadContract();
  const operationIds = operations.all.map(({ operationId }) => operationId);
  return await asFailure(async () => {
    const { policySchema, policies } = await readPolicies(from);
    const { text: schemaText, name: schemaFile } = policySchema;
    const engine = createPolicyEngine({ schemaText, schemaFile, policies, operationIds, generation: 1 });
    return { engine, operations, from };
  });
}

async function readTables(directory: string, operations: OperationTable): Promise<readonly DecisionTable[]> {
  return await asFailure(async () => {
    const names = await readdir(directory).catch((error: unknown) => {
      throw new StartupError(
        `${directory} cannot be listed: decision tables belong there. To begin with the ones that are shipped: cp -r ${join(SHIPPED_POLICY_DIR, TABLES)} ${directory}, and change what your policies decide otherwise`,
        error,
      );
    });
    const files = names.filter((name) => /\.(yaml|yml|json)$/.test(name)).sort();
    if (files.length === 0) throw new StartupError(`${directory} has no decision table (*.yaml)`);
    return await Promise.all(
      files.map(async (name) =>
        readDecisionTable(
          name,
          (await readText(join(directory, name), 'the table', LIMITS.bundleBytesMax)).text,
          operations,
        ),
      ),
    );
  });
}

/** The command ran, and its answer is no. */
async function asFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    // Whoever names a directory has set no variable; and editors open PATH:LINE:COLUMN.
    throw new CommandFailed(error.message.replaceAll('POLICY_DIR: ', ''), error);
  }
}
