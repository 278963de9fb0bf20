import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHIPPED = fileURLToPath(new URL('../../policy/', import.meta.url));

/** The shipped policies in a directory of the test's own, and one file more. For `prepare` of a test gateway. */
export function withPolicy(text: string): (directory: string) => Promise<{ POLICY_DIR: string }> {
  return async (directory) => {
    const policies = join(directory, 'policy');
    await cp(SHIPPED, policies, { recursive: true });
    await writeFile(join(policies, 'test.cedar'), text);
    return { POLICY_DIR: policies };
  };
}
