import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { compileSchemas, type FleetSchemas } from '../core/fleet/schemas.ts';
import { type OperationTable, readOperations } from '../core/policy/operations.ts';
import { createRouter, type Router } from './http/router.ts';

/** openapi.yaml and what is made of it: the document that routes, validates and is served. */
export interface Contract {
  readonly documentText: string;
  readonly operations: OperationTable;
  readonly schemas: FleetSchemas;
  readonly router: Router;
}

const DOCUMENT_PATH = fileURLToPath(new URL('../../openapi.yaml', import.meta.url));

let loaded: Promise<Contract> | undefined;

/** Once per process: the document is part of the program, and compiling it takes most of a start. Throws StartupError. */
export function loadContract(): Promise<Contract> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Contract> {
  const documentText = await readFile(DOCUMENT_PATH, 'utf8');
  const document = parse(documentText) as object;
  const operations = readOperations(document);
  const schemas = compileSchemas(document);
  const router = await createRouter(document, operations, schemas);
  return Object.freeze({ documentText, operations, schemas, router });
}
