import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compileSchemas, type FleetSchemas } from '../core/fleet/schemas.ts';
import { type OperationTable, readOperations } from '../core/policy/operations.ts';
import type { CheckedPolicies } from '../core/policy/policy-set.ts';
import { type Checked, documentDigest, readChecked } from './checked.ts';
import { createRouter, type Router } from './http/router.ts';

/** openapi.yaml and what is made of it: the document that routes, validates and is served. */
export interface Contract {
  readonly documentText: string;
  readonly operations: OperationTable;
  readonly schemas: FleetSchemas;
  readonly router: Router;
  /** This very document was checked when the gateway was built; see checked.ts. */
  readonly checked: boolean;
  /** Of the policies that were held against this document when the gateway was built; see checked.ts. */
  readonly checkedPolicies: CheckedPolicies;
}

const DOCUMENT_PATH = fileURLToPath(new URL('../../openapi.yaml', import.meta.url));

let loaded: Promise<Contract> | undefined;

/** Once per process: the document is part of the program. Throws StartupError. */
export function loadContract(): Promise<Contract> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Contract> {
  return contractOf(await readFile(DOCUMENT_PATH, 'utf8'), await readChecked());
}

/** Whatever is not the very text that was checked is checked here. Throws StartupError. */
export async function contractOf(documentText: string, known: Checked): Promise<Contract> {
  const checked = known.documentSha256 === documentDigest(documentText);
  const document = checked ? known.document : await parseYaml(documentText);
  const operations = readOperations(document);
  const schemas = compileSchemas(document, { checked });
  const router = await createRouter(document, operations, schemas, { checked });
  return Object.freeze({
    documentText,
    operations,
    schemas,
    router,
    checked,
    checkedPolicies: known.policies,
  });
}

async function parseYaml(text: string): Promise<object> {
  const { parse } = await import('yaml');
  return parse(text) as object;
}
