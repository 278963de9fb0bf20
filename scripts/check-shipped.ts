import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { compileSchemas } from '../src/core/fleet/schemas.ts';
import { readOperations } from '../src/core/policy/operations.ts';
import { checkPolicySources } from '../src/core/policy/policy-set.ts';
import { type Checked, documentDigest } from '../src/shell/checked.ts';
import { createRouter } from '../src/shell/http/router.ts';
import { readPolicies, SHIPPED_POLICY_DIR } from '../src/shell/snapshot-files.ts';

/** Checks the document and the policies that the gateway is delivered with, all of it; throws where anything is wrong. */
export async function checkedNow(): Promise<Checked> {
  const text = await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8');
  const document = parse(text) as object;
  const operations = readOperations(document);
  await createRouter(document, operations, compileSchemas(document));
  const { policySchema, policies } = await readPolicies(SHIPPED_POLICY_DIR);
  const checked = checkPolicySources({
    schemaText: policySchema.text,
    policies,
    operationIds: operations.all.map(({ operationId }) => operationId),
    generation: 1,
  });
  return { documentSha256: documentDigest(text), policies: checked, document };
}
