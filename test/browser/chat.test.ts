import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { clearStage, makeFolder } from '../../scripts/demo/stage.ts';
import type { TwoPeople } from './support.ts';
import { channelOf, rowWith, setTwoPeople, tellFailure, threadOf, type } from './support.ts';

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
  onTestFailed(async () => tellFailure(folder, ana.locator('body'), ben.locator('body')));
});

async function openHome(page: Page): Promise<Locator> {
  await page
    .getByRole('navigation', { name: 'Workspace' })
    .getByRole('button', { name: /^dpubot/ })
    .click();
  const home = page.locator('#home');
  await home.getByRole('heading', { name: 'dpubot', exact: true }).waitFor();
  return home;
}

// One story: each test goes on where the one before it ended.
describe('everything without knowing a command', () => {
  test('/dpu provision alone opens a form, which says what is missing and keeps what was filled in', async () => {
    await type(ana, '/dpu provision');
    const form = ana.getByRole('dialog', { name: 'Provision cards' });
    await form.waitFor();

    await form.getByRole('checkbox', { name: /--adopt/ }).check();
    await form.getByRole('button', { name: 'Look and plan' }).click();

    await form.getByText('Pick what it should work on').waitFor();
    expect(await form.getByRole('checkbox', { name: /--adopt/ }).isChecked()).toBe(true);
  });

  test('a name that the inventory does not have is refused in the form, with what was meant', async () => {
    const form = ana.getByRole('dialog', { name: 'Provision cards' });

    await form.getByRole('textbox', { name: /Or type it/ }).fill('rack11');
    await form.getByRole('button', { name: 'Look and plan' }).click();

    await form.getByText(/Did you mean "rack1"/).waitFor();
  });

  test('sent off it starts the run that the same line would have started', async () => {
    const form = ana.getByRole('dialog', { name: 'Provision cards' });

    await form.getByRole('textbox', { name: /Or type it/ }).fill('');
    await form.getByRole('listbox', { name: /Racks and hosts/ }).selectOption('rack1');
    await form.getByRole('button', { name: 'Look and plan' }).click();

    await form.waitFor({ state: 'hidden' });
    await rowWith(channelOf(ana), 'Run 1: provision rack1 --adopt').waitFor();
  });

  test('Home shows a second person what waits for them, and they say no there with a reason', async () => {
    const home = await openHome(ben);
    const reject = home.getByRole('button', { name: 'Reject run 1' });
    await reject.waitFor({ timeout: runLimitMs });

    await reject.click();
    const form = ben.getByRole('dialog', { name: 'Reject run 1' });
    await form.getByRole('textbox', { name: /Why/ }).fill('not before the weekend');
    await form.getByRole('button', { name: 'Reject', exact: true }).click();

    await form.waitFor({ state: 'hidden' });
    await reject.waitFor({ state: 'hidden' });
    await rowWith(threadOf(ana), /not before the weekend/)
      .first()
      .waitFor();
    await rowWith(channelOf(ana), 'Run 1: provision rack1 --adopt').filter({ hasText: 'Rejected' }).waitFor();
  });

  test('in a thread @dpubot takes commands, and knows which run is meant', async () => {
    const reply = ana.getByRole('textbox', { name: 'Reply' });
    await reply.fill('@dpubot details');
    await reply.press('Enter');

    const answer = rowWith(threadOf(ana), 'Only visible to you').last();
    await answer.waitFor();
    expect(await answer.innerText()).toContain('Run 1');
    expect(await rowWith(threadOf(ben), 'Only visible to you').count()).toBe(0);
  });

  test('a run is cancelled with its button, before anything was done', async () => {
    await type(ana, '/dpu provision rack1');
    const card = rowWith(channelOf(ana), 'Run 2: provision rack1');
    await card.getByRole('button', { name: 'Cancel run 2' }).click();

    await card.filter({ hasText: 'Cancelled' }).waitFor({ timeout: runLimitMs });
    expect(await card.getByRole('button', { name: 'Cancel run 2' }).count()).toBe(0);
  });
});
