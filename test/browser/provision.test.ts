import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { clearStage, makeFolder } from '../../scripts/demo/stage.ts';
import { desk, phone } from '../../scripts/screenshot/browser.ts';
import { pictureWidth } from './audit.js';
import type { TwoPeople } from './support.ts';
import {
  channelOf,
  isInView,
  lowContrast,
  overflow,
  rowWith,
  setTwoPeople,
  tabTo,
  tellFailure,
  threadOf,
  type,
} from './support.ts';

/** A whole run of two cards on the pretend rack. */
const runLimitMs = 60_000;

const folder = makeFolder();
let people: TwoPeople;
let ana: Page;
let ben: Page;

beforeAll(async () => {
  people = await setTwoPeople(folder);
  ({ ana, ben } = people);
}, 90_000);

afterAll(async () => {
  await people?.browser.close();
  await clearStage(folder);
}, 30_000);

beforeEach(() => {
  onTestFailed(async () => tellFailure(folder, channelOf(ana), threadOf(ana)));
});

/** The message of a thread that asks for a decision. */
function requestIn(page: Page): Locator {
  return threadOf(page)
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading', { name: /needs approval/ }) });
}

describe('lines typed into the message box', () => {
  test('help is answered to the one who asked and to nobody else', async () => {
    await type(ana, '/dpu help');

    const answer = rowWith(channelOf(ana), '/dpu provision <target>');
    await answer.waitFor();
    expect(await answer.innerText()).toContain('Only visible to you');
    expect(await channelOf(ben).innerText()).not.toContain('/dpu provision <target>');
  });

  test('a misspelt command is told what was meant, and starts nothing', async () => {
    await type(ana, '/dpu provison rack1');

    const answer = rowWith(channelOf(ana), 'Did you mean "provision"?');
    await answer.waitFor();
    expect(await answer.innerText()).toContain('Only visible to you');
    expect(await channelOf(ana).innerText()).not.toContain('Run 1');
  });
});

// One story from here on: each test goes on where the one before it ended.
describe('provisioning the rack', () => {
  test('the plan and the request for approval come into the thread, which opens by itself', async () => {
    await type(ana, '/dpu provision rack1');

    await requestIn(ana).waitFor();
    const thread = await threadOf(ana).innerText();
    expect(thread).toMatch(/Plan of run 1.* \(SIMULATED\): \d\d changes/);
    expect(thread).toContain('All files on as7-dpu0 are erased.');
    for (const card of ['as7-dpu0', 'as8-dpu0']) expect(thread).toContain(card);
    expect(thread).toMatch(/Right already: Identify the card: B3240 900-9D3B6-00CN-AB0/);
    expect(thread).toMatch(/Will change: Set the BMC password \(disruptive\)/);
    expect(await requestIn(ana).innerText()).toContain('ana asked for /dpu provision rack1');
  });

  test('the requester who presses Approve is refused, and only she sees it', async () => {
    await requestIn(ana)
      .getByRole('button', { name: /^Approve/ })
      .click();

    const refusal = ana.getByRole('listitem').filter({ hasText: 'self-approval' });
    await refusal.waitFor();
    expect(await refusal.innerText()).toContain('Only visible to you');
    expect(await isInView(refusal)).toBe(true);
    expect(await ben.getByRole('listitem').filter({ hasText: 'self-approval' }).count()).toBe(0);
    expect(await requestIn(ana).count()).toBe(1);
  });

  test('a second person approves with the keyboard alone', async () => {
    const approve = requestIn(ben).getByRole('button', { name: 'Approve run 1' });
    await approve.waitFor();

    await tabTo(ben, approve);
    await ben.keyboard.press('Enter');

    await rowWith(threadOf(ben), 'Run 1 was approved (SIMULATED)').waitFor();
    await rowWith(threadOf(ana), '@Ben Approver approved the plan (1 of 1).').waitFor();
    expect(await requestIn(ana).count()).toBe(0);
  });

  test('in the end both cards are done, and the thread says who approved and that it was simulated', async () => {
    const table = threadOf(ana).getByRole('table');
    await table.waitFor({ timeout: runLimitMs });

    const rows = await table.getByRole('row').allInnerTexts();
    expect(rows.slice(1).map((row) => row.split(/\s+/).slice(0, 2))).toEqual([
      ['as7', 'done'],
      ['as7-dpu0', 'done'],
      ['as8', 'done'],
      ['as8-dpu0', 'done'],
    ]);
    expect(await rowWith(threadOf(ana), 'Run 1 (SIMULATED): Done').count()).toBe(1);
    const card = rowWith(channelOf(ana), 'Run 1: provision rack1');
    await card.filter({ hasText: 'ended' }).waitFor();
    expect(await card.innerText()).toMatch(/SIMULATED · asked for by ana · approved by @Ben Approver · ended/);
  });

  test('switching to the other person in the same window shows the thread as that person sees it', async () => {
    await ana.getByRole('radio', { name: 'Ben Approver' }).click();

    await ana.getByRole('textbox', { name: 'Message # dpu-lab as Ben Approver' }).waitFor();
    await expect.poll(() => channelOf(ana).innerText(), { timeout: 10_000 }).not.toContain('Only visible to you');
    await rowWith(channelOf(ana), 'Run 1: provision rack1').waitFor();
    await ana.getByRole('radio', { name: 'Ana Ops' }).click();
    await rowWith(channelOf(ana), 'Only visible to you').first().waitFor();
  });

  test('the same line again finds every step right, says why, and asks nobody', async () => {
    await type(ana, '/dpu provision rack1');

    const end = rowWith(threadOf(ana), 'Run 2 (SIMULATED): Nothing to do');
    await end.waitFor({ timeout: runLimitMs });
    const thread = await threadOf(ana).innerText();
    expect(thread).toContain('Plan of run 2 (SIMULATED): nothing to change');
    expect(thread.match(/Right already: /g)?.length).toBeGreaterThan(40);
    expect(thread).toContain('Right already: Check the mode: in DPU mode');
    expect(
      await threadOf(ana)
        .getByRole('button', { name: /^Approve/ })
        .count(),
    ).toBe(0);
  });

  test.each(['light', 'dark'] as const)('in %s colours every text of the finished run can be read', async (scheme) => {
    const page = await people.open('ana', { ...desk, scheme });
    await threadOf(page).getByRole('listitem').first().waitFor();

    const { looked, found } = await lowContrast(page);

    expect(looked).toBeGreaterThan(40);
    expect(found).toEqual([]);
    await page.context().close();
  });

  test('on a phone nothing scrolls sideways, neither in the channel nor in the finished thread', async () => {
    const page = await people.open('ana', phone);
    const card = rowWith(channelOf(page), 'Run 1: provision rack1');
    await card.waitFor();
    const channelOverflow = await overflow(page);

    await card.getByRole('button', { name: /replies/ }).click();
    await threadOf(page).getByRole('table').waitFor();

    expect([channelOverflow, await overflow(page)]).toEqual([0, 0]);
    await page.context().close();
  });

  test('a bench ends with its chart as a picture, and Home shows the figure', async () => {
    await type(ana, '/dpu bench raw');

    const chart = threadOf(ana).getByRole('img', { name: /rate over time/ });
    await chart.waitFor({ timeout: runLimitMs });
    await expect.poll(() => chart.evaluate(pictureWidth), { timeout: 10_000 }).toBeGreaterThan(300);
    await ana
      .getByRole('navigation', { name: 'Workspace' })
      .getByRole('button', { name: /^dpubot/ })
      .click();
    // Who has unread messages of the app is led to these first.
    await ana.getByRole('tab', { name: 'Home' }).click();
    await ana.locator('#home').getByText(/Gb\/s/).first().waitFor();
  });
});
