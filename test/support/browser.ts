import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { ClientCertificate, Endpoint } from './client.ts';

const CHROMIUM = '/usr/bin/chromium';

/** For `skip` of a test: why there is none, or false. */
export const NO_BROWSER: string | false = existsSync(CHROMIUM)
  ? false
  : `${CHROMIUM} is not there: install Debian's chromium to run the tests in a browser`;

/** As root there is no sandbox to be had; nothing is asked of any host but the gateway under test. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export interface Look {
  readonly scheme: 'light' | 'dark';
  readonly width: number;
}

/** Light and dark on a desk, and light on a phone; the phone's layout has no colours of its own. */
export const LOOKS: Readonly<Record<'light' | 'dark' | 'phone', Look>> = {
  light: { scheme: 'light', width: 1280 },
  dark: { scheme: 'dark', width: 1280 },
  phone: { scheme: 'light', width: 390 },
};

export function originOf({ port }: Endpoint): string {
  return `https://localhost:${port}`;
}

/** A browser profile of its own; with a certificate, one in which it is installed. */
export async function newContext(
  browser: Browser,
  gateway: Endpoint,
  options: {
    readonly certificate?: ClientCertificate;
    readonly look?: Look;
    readonly scripts?: boolean;
  } = {},
): Promise<BrowserContext> {
  const { certificate, look = LOOKS.light, scripts = true } = options;
  return await browser.newContext({
    baseURL: originOf(gateway),
    ignoreHTTPSErrors: true,
    javaScriptEnabled: scripts,
    colorScheme: look.scheme,
    reducedMotion: 'reduce',
    viewport: { width: look.width, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...(certificate === undefined
      ? {}
      : {
          clientCertificates: [
            {
              origin: originOf(gateway),
              cert: Buffer.from(certificate.chainPem),
              key: Buffer.from(certificate.keyPem),
            },
          ],
        }),
  });
}

/** What the browser complained of: a refused script, a missing file, a wrong policy. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    // What was asked for and is refused with a page is told by the page.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** axe-core finds nothing: WCAG 2.2 A and AA, and its best practices. Its code is given to the page's debugger, past the policy. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await evaluate(`${AXE}; undefined`);
  const found = (await evaluate(
    'axe.run(document, { resultTypes: ["violations"] }).then((r) => ({ violations: r.violations, passes: r.passes.length }))',
  )) as { violations: Violation[]; passes: number };
  const told = found.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .slice(0, 3)
        .map((node) => `${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`)
        .join(' | ')}`,
  );
  assert.deepEqual(told, [], what);
  assert.ok(found.passes > 10, `${what}: axe looked at something`);
  await session.detach();
}
