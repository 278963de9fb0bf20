import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { complaintsOf, launchBrowser, NO_BROWSER, newContext } from '../support/browser.ts';
import { type OrdinaryDay, startOrdinaryDay } from '../support/ordinary-day.ts';
import { makeToken } from '../support/tokens.ts';

describe('in a browser', { skip: NO_BROWSER }, () => {
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

  for (const scripts of [true, false]) {
    it(`a token signs in and out, by keyboard alone, ${scripts ? 'with' : 'without'} script`, async () => {
      const made = await makeToken(day.gateway, { kind: 'operator', roles: ['admin'] });
      const context = await newContext(browser, day.gateway, { scripts });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      await page.goto('/ui/trust');
      await page.getByLabel('Operator token').focus();
      await page.keyboard.type('wrong-token-of-nobody');
      await page.keyboard.press('Enter');
      await page.getByText('The token is not accepted.').waitFor();
      await page.goto('/ui/trust');
      await page.getByLabel('Operator token').focus();
      await page.keyboard.type(made.token);
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'Go on to the page that you asked for' }).waitFor();
      await page.getByRole('link', { name: 'Go on to the page that you asked for' }).press('Enter');
      await page.getByText('3 of 38 left').waitFor();
      const [cookie, ...others] = (await context.cookies()).filter(({ name }) => name === '__Host-fluxgate');
      assert.equal(others.length, 0);
      assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === 'Strict');
      assert.ok(!cookie.value.includes(made.token));
      await page.getByRole('link', { name: 'Fleet', exact: true }).press('Enter');
      await page.getByLabel('Name or DNS name').fill('us-east-prod-01');
      await page.getByLabel('Name or DNS name').press('Enter');
      await page.getByText('1 cluster', { exact: true }).waitFor();
      await page.reload();
      await page.getByText('1 cluster', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).press('Enter');
      await page.getByText('You are signed out.').waitFor();
      assert.deepEqual(
        (await context.cookies()).filter(({ name }) => name === '__Host-fluxgate'),
        [],
      );
      await page.goto('/ui');
      await page.getByLabel('Operator token').waitFor();
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }

  it('a page follows what happens, without being loaded again', async () => {
    const context = await newContext(browser, day.gateway, { certificate: day.sam });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`/ui/clusters/${day.cluster}`);
    await page.getByText(/^Live\./).waitFor();
    await page.locator('h1').evaluate((heading) => heading.setAttribute('data-loaded', 'once'));
    await page
      .locator('#history ~ ol details')
      .first()
      .evaluate((one) => one.setAttribute('open', ''));
    const body = { patches: { traefik: { 'deployment.replicas': '9' } } };
    const headers = { 'change-reason': 'seen-while-looking' };
    const path = '/clusters/us-east-prod-01';
    const changed = await day.gateway.send({ method: 'PATCH', path, body, headers, certificate: day.sam });
    assert.equal(changed.status, 200);
    await page.getByText('seen-while-looking').waitFor();
    assert.equal(await page.locator('h1[data-loaded="once"]').count(), 1);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('an approver approves a plan by its button', async () => {
    const context = await newContext(browser, day.gateway, { certificate: day.kim });
    const page = await context.newPage();
    await page.goto(`/ui/plans/${day.planHash}`);
    await page.getByRole('button', { name: 'Approve this plan' }).press('Enter');
    await page.getByText('Approved. The write is carried out').waitFor();
    assert.equal(
      new URL(page.url()).pathname,
      `/ui/plans/${day.planHash}`,
      'a reload shows it, and sends nothing',
    );
    await page.reload();
    assert.equal(await page.getByRole('button', { name: 'Approve this plan' }).count(), 0);
    await context.close();
  });

  it('no frame of another page holds it', async () => {
    const context = await newContext(browser, day.gateway, { certificate: day.sam });
    const page = await context.newPage();
    await page.setContent(
      `<iframe src="https://localhost:${day.gateway.port}/ui" width="800" height="600"></iframe>`,
    );
    const frame = page.frames()[1];
    await page.waitForTimeout(1_000);
    assert.equal(await frame?.getByText('All clusters').count(), 0);
    await context.close();
  });
});
