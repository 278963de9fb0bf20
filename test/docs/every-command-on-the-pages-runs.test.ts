import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pagePaths, readPage } from '../support/page.ts';
import { executePage, missingTools } from '../support/page-shell.ts';
import { cloneStage, operatorStage, type Stage } from '../support/page-stage.ts';
import { PROJECT } from '../support/spawned.ts';
import { holdKustomization, holdManifests } from './manifests-of-the-pages.ts';

/**
 * Every page is found by its name alone: a new one is executed as an operator's, beside a gateway with the demo fleet. What else there
 * is to say of a page stands in these tables.
 */

/** Pages that begin with a clone and nothing else: their own commands start what they need. */
const FROM_A_CLONE = ['README.md', 'docs/quick-start.md', 'docs/first-day.md'];

/** Pages with a stage of their own, and the test that executes them. */
const EXECUTED_BY: Readonly<Record<string, string>> = {
  'docs/cli.md': 'test/docs/every-command-of-the-command-line-page-does-what-it-says.test.ts',
  'docs/runbooks/certificates-not-renewed.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/failing-components.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/gateway-down.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/missing-clusters.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/overload.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/reload-refused.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/suspicious-credentials.md': 'test/runbooks/what-alerts-point-to.test.ts',
  'docs/runbooks/revoke-a-cluster.md': 'test/runbooks/runbooks.test.ts',
  'docs/runbooks/rotate-cluster-ca.md': 'test/runbooks/runbooks.test.ts',
  'docs/runbooks/rotate-operator-ca.md': 'test/runbooks/runbooks.test.ts',
  'docs/runbooks/rotate-server-certificate.md': 'test/runbooks/runbooks.test.ts',
  'docs/runbooks/stale-crl.md': 'test/runbooks/runbooks.test.ts',
  'docs/runbooks/tokens-to-certificates.md': 'test/runbooks/runbooks.test.ts',
};

/** All that is not executed, with the reason that the page gives. Whoever adds one says it here, too. */
const NOT_RUN: Readonly<Record<string, readonly string[]>> = {
  'README.md': ['it is what runs this page'],
  'docs/performance.md': ['they take minutes, and measure the machine'],
  'docs/tokens-and-roles.md': [
    'test/cli/policies-are-checked-and-tested-from-the-command-line.test.ts runs it',
  ],
};

/** What happens beside a page, and what must be true after it. */
interface Beside {
  readonly before?: (stage: Stage) => Promise<void>;
  readonly events?: (stage: Stage) => Readonly<Record<string, () => Promise<void>>>;
  readonly after?: (stage: Stage, t: TestContext) => Promise<void>;
}

const BESIDE: Readonly<Record<string, Beside>> = {
  'docs/audit.md': {
    events: ({ directory, auditKeyPem }) => ({
      'the gateway has the key': () => writeFile(join(directory, 'audit.key'), auditKeyPem),
    }),
  },
  'docs/deploying-the-gateway.md': {
    before: ({ directory }) => writeFile(join(directory, 'clusters.crl'), 'a CRL'),
    after: holdKustomization,
  },
  'docs/joining-a-cluster.md': {
    before: ({ directory, gateway }) => writeFile(join(directory, 'gateway-ca.crt'), gateway.serverCaPem),
    after: holdManifests,
  },
  'docs/runbooks/backup-and-restore.md': {
    events: ({ stop }) => ({ 'the gateway is stopped': stop }),
  },
};

const PAGES = pagePaths().map(readPage);
const executed = PAGES.filter(({ steps }) => steps.some(({ kind }) => kind !== 'not-run'));

// A page by name: PAGE=docs/audit.md node --test …
const only = process.env['PAGE'];

describe('every command', { skip: missingTools() ?? false }, () => {
  for (const page of executed.filter(
    ({ path }) => !(path in EXECUTED_BY) && (only === undefined || path === only),
  )) {
    it(`of ${page.path} runs, and prints what is written there`, async (t) => {
      if (FROM_A_CLONE.includes(page.path)) {
        await executePage(page, await cloneStage(t));
        return;
      }
      const { before, after, events } = BESIDE[page.path] ?? {};
      const stage = await operatorStage(t);
      await before?.(stage);
      await executePage(page, { ...stage, events: events?.(stage) ?? {} });
      await after?.(stage, t);
    });
  }
});

describe('what is not executed', () => {
  it('is told, with a reason, page by page', () => {
    const told = PAGES.map(({ path, steps }) => [
      path,
      steps.flatMap((step) => (step.kind === 'not-run' ? [step.reason] : [])),
    ]).filter(([, reasons]) => reasons?.length !== 0);
    assert.deepEqual(Object.fromEntries(told), NOT_RUN);
  });

  it('here is executed by a test that names the page', () => {
    for (const [page, test] of Object.entries(EXECUTED_BY)) {
      assert.ok(
        executed.some(({ path }) => path === page),
        page,
      );
      assert.ok(existsSync(join(PROJECT, test)), test);
      const name = page.split('/').at(-1) ?? page;
      assert.ok(readFileSync(join(PROJECT, test), 'utf8').includes(name), `${test} does not name ${name}`);
    }
  });
});
