/**
 * `npm run screenshot`: provisions the pretend rack in front of a browser and writes the pictures of docs/images. Takes
 * about half a minute and leaves nothing behind but the pictures.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { clearStage, logTails, makeFolder, setStage, type Stage } from './demo/stage.ts';
import { onSignal, repository } from './lib/children.mjs';
import { runMain, say } from './lib/print.mjs';
import { desk, launchBrowser, openAs, openWindow, phone, type Look } from './screenshot/browser.ts';
import { ensureChromium, ensureRedis } from './setup.mjs';

const images = join(repository, 'docs', 'images');
/** Device pixels for each pixel of the page: a little sharper than one, and the files stay small. */
const sharpness = 1.25;
const runLimitMs = 120_000;

await runMain(async () => {
  const redis = await ensureRedis();
  const program = process.env.DPUBOT_TEST_CHROMIUM ?? ensureChromium();
  const folder = makeFolder();
  onSignal(() => clearStage(folder));
  let browser: Browser | undefined;
  try {
    const stage = await setStage(folder, redis);
    browser = await launchBrowser(program);
    mkdirSync(images, { recursive: true });
    await takeAll(browser, stage);
    return 0;
  } catch (error) {
    process.stderr.write(`${logTails(folder)}\n`);
    throw error;
  } finally {
    await browser?.close();
    await clearStage(folder);
  }
});

async function takeAll(browser: Browser, stage: Stage): Promise<void> {
  await fillForm(browser, stage, 'form');
  await approveInPerson(browser, stage);
  await finished(browser, stage, desk, 'finished-thread');
  await finished(browser, stage, { ...desk, scheme: 'dark' }, 'finished-thread-dark');
  await finished(browser, stage, phone, 'finished-thread-phone');
  await benched(browser, stage, '/dpu bench raw', 'bench-result');
  await home(browser, stage, desk, 'home');
  await home(browser, stage, { ...phone, scheme: 'dark' }, 'home-phone-dark');
  await askAndApprove(browser, stage, '/dpu reflash as7 --image bf-2.9.2', 'reflash-approval');
  await finished(browser, stage, desk, 'reflash-thread');
}

/** Ana gives the command without a word more, and fills in what the form asks for. */
async function fillForm(browser: Browser, stage: Stage, name: string): Promise<void> {
  const page = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ana');
  await page.getByRole('textbox', { name: /^Message/ }).fill('/dpu provision');
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog', { name: 'Provision cards' });
  await form.getByRole('listbox').selectOption('rack1');
  await take(page, name);
  await form.getByRole('button', { name: 'Look and plan' }).click();
  await form.waitFor({ state: 'hidden' });
  await page.context().close();
}

/** Ben is asked in the thread, on Home and in person; he approves in person, and stays until the run has ended. */
async function approveInPerson(browser: Browser, stage: Stage): Promise<void> {
  const page = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ben');
  const thread = page.getByRole('complementary', { name: 'Thread' });
  await thread.getByRole('button', { name: /^Approve/ }).waitFor();
  await take(page, 'approval-waiting');
  const workspace = page.getByRole('navigation', { name: 'Workspace' });
  await workspace.getByRole('button', { name: /^dpubot.*unread/ }).click();
  const approve = page.getByRole('log', { name: 'Messages' }).getByRole('button', { name: /^Approve/ });
  await approve.waitFor();
  await take(page, 'approval-in-person');
  await page.getByRole('tab', { name: 'Home' }).click();
  await page
    .locator('#home')
    .getByRole('button', { name: /^Approve/ })
    .waitFor();
  await take(page, 'home-approval');
  await page
    .locator('#home')
    .getByRole('button', { name: /^Approve/ })
    .click();
  await page
    .locator('#home')
    .getByText(/approved|Working/)
    .first()
    .waitFor();
  await workspace.getByRole('button', { name: /dpu-lab/ }).click();
  await thread.getByRole('table').waitFor({ timeout: runLimitMs });
  await page.context().close();
}

/** What a person sees of dpubot without any command. */
async function home(browser: Browser, stage: Stage, look: Look, name: string): Promise<void> {
  const context = await openWindow(browser, look, sharpness);
  const page = await openAs(context, stage.pageUrl, 'ana');
  if (look.isPhone) await page.getByRole('button', { name: 'Open the menu' }).click();
  await page
    .getByRole('navigation', { name: 'Workspace' })
    .getByRole('button', { name: /^dpubot/ })
    .click();
  const tab = page.getByRole('tab', { name: 'Home' });
  if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
  await page.locator('#home').getByText(/Gb\/s/).first().waitFor();
  await take(page, name);
  await context.close();
}

/** Ana types the line; Ben is photographed before he presses Approve, and stays until the run has ended. */
async function askAndApprove(browser: Browser, stage: Stage, line: string, name: string): Promise<void> {
  const ana = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ana');
  await ana.getByRole('textbox', { name: /^Message/ }).fill(line);
  await ana.keyboard.press('Enter');

  const ben = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ben');
  const thread = ben.getByRole('complementary', { name: 'Thread' });
  const request = thread.getByRole('listitem').filter({ has: ben.getByRole('heading', { name: /needs approval/ }) });
  const approve = request.getByRole('button', { name: /^Approve/ });
  await approve.waitFor();
  await take(ben, name);
  await approve.click();
  await thread.getByRole('table').waitFor({ timeout: runLimitMs });
  await ben.context().close();
  await ana.context().close();
}

/** A bench that nobody has to approve, with its chart in the thread. */
async function benched(browser: Browser, stage: Stage, line: string, name: string): Promise<void> {
  const page = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ana');
  await page.getByRole('textbox', { name: /^Message/ }).fill(line);
  await page.keyboard.press('Enter');
  const later = await openAs(await openWindow(browser, desk, sharpness), stage.pageUrl, 'ben');
  const chart = later.getByRole('complementary', { name: 'Thread' }).getByRole('img', { name: /rate over time/ });
  await chart.waitFor({ timeout: runLimitMs });
  await chart.scrollIntoViewIfNeeded();
  await take(later, name);
  await later.context().close();
  await page.context().close();
}

/** The finished thread as a person finds it who comes later. */
async function finished(browser: Browser, stage: Stage, look: Look, name: string): Promise<void> {
  const context = await openWindow(browser, look, sharpness);
  const page = await openAs(context, stage.pageUrl, 'ana');
  if (look.isPhone) await page.getByRole('button', { name: /repl(y|ies)/ }).click();
  await page.getByRole('complementary', { name: 'Thread' }).getByRole('table').waitFor();
  await take(page, name);
  await context.close();
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(images, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  say(`docs/images/${name}.png  ${Math.round(statSync(path).size / 1024)} KiB`);
}
