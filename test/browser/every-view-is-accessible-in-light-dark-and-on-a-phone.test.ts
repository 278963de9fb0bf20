import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import {
  assertAccessible,
  complaintsOf,
  LOOKS,
  type Look,
  launchBrowser,
  NO_BROWSER,
  newContext,
} from '../support/browser.ts';
import type { ClientCertificate } from '../support/client.ts';
import { type OrdinaryDay, startOrdinaryDay } from '../support/ordinary-day.ts';

/** UPDATE_SCREENSHOTS=1 writes those of docs/images anew; look at them before they are committed. */
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));

describe('the status page', { skip: NO_BROWSER }, () => {
  const cleanups: (() => unknown)[] = [];
  let day: OrdinaryDay;
  let browser: Browser;
  before(async () => {
    day = await startOrdinaryDay({ after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as never);
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    for (const cleanup of cleanups) await cleanup();
  });

  const contexts = new Map<string, Promise<BrowserContext>>();
  /** One for each look and person: a browser takes its time over a new one. */
  const contextOf = (look: Look, certificate: ClientCertificate | undefined): Promise<BrowserContext> => {
    const key = JSON.stringify([look, certificate?.chainPem]);
    const known = contexts.get(key);
    if (known !== undefined) return known;
    const made = newContext(browser, day.gateway, {
      look,
      ...(certificate === undefined ? {} : { certificate }),
    });
    contexts.set(key, made);
    return made;
  };

  interface View {
    readonly path: () => string;
    readonly as?: () => ClientCertificate | undefined;
    readonly status?: number;
    /** Something that only this view has. */
    readonly shows: string;
  }
  const sam = (): ClientCertificate => day.sam;
  const views: Readonly<Record<string, View>> = {
    'sign-in': { path: () => '/ui', as: () => undefined, status: 401, shows: 'Operator token' },
    fleet: { path: () => '/ui', shows: 'plan waits' },
    'fleet-overdue': { path: () => '/ui?state=overdue', shows: 'ap-south-dev-02' },
    'fleet-nobody': { path: () => '/ui?q=nosuchcluster', shows: 'No cluster is like that' },
    cluster: { path: () => `/ui/clusters/${day.cluster}`, shows: 'HealthCheckFailed' },
    'cluster-refused': { path: () => '/ui/clusters/us-west-prod-03.k8s.example.com', shows: 'expired' },
    'cluster-never': { path: () => '/ui/clusters/ap-south-uat-01.k8s.example.com', shows: 'never polled' },
    'cluster-viewer': {
      path: () => `/ui/clusters/${day.cluster}`,
      as: () => day.viewer,
      shows: 'Not for your role',
    },
    trust: { path: () => '/ui/trust', shows: '3 of 38 left' },
    revocations: { path: () => '/ui/revocations', shows: 'laptop' },
    audit: { path: () => '/ui/audit', shows: 'fleet changed' },
    plans: { path: () => '/ui/plans', shows: 'sam@example.com' },
    plan: { path: () => `/ui/plans/${day.planHash}`, as: () => day.kim, shows: 'Approve this plan' },
    'not-found': { path: () => '/ui/nothing', status: 404, shows: 'Nothing here' },
    forbidden: { path: () => '/ui/trust', as: () => day.viewer, status: 403, shows: 'may not do this' },
  };

  for (const [name, { path, as = sam, status = 200, shows }] of Object.entries(views)) {
    for (const [lookName, look] of Object.entries(LOOKS)) {
      it(`${name}, ${lookName}: nothing that axe-core, the browser or its security policy objects to`, async () => {
        const page = await (await contextOf(look, as())).newPage();
        try {
          const complaints = complaintsOf(page);
          const answer = await page.goto(path());
          assert.equal(answer?.status(), status);
          await page.getByText(shows).first().waitFor({ state: 'attached' });
          for (const details of await page.locator('details').all()) {
            await details.evaluate((one) => one.setAttribute('open', ''));
          }
          await assertAccessible(page, `${name}, ${lookName}`);
          assert.deepEqual(complaints, []);
          const wide = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
          assert.ok(wide <= 0, `${name}, ${lookName}: it scrolls sideways by ${wide} pixels`);
          if (process.env['UPDATE_SCREENSHOTS'] === '1') {
            await mkdir(IMAGES, { recursive: true });
            await writeFile(`${IMAGES}${name}-${lookName}.png`, await page.screenshot());
          }
        } finally {
          await page.close();
        }
      });
    }
  }
});
