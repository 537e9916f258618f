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
  await askAndApprove(browser, stage, '/dpu provision rack1', 'approval-waiting');
  await finished(browser, stage, desk, 'finished-thread');
  await finished(browser, stage, { ...desk, scheme: 'dark' }, 'finished-thread-dark');
  await finished(browser, stage, phone, 'finished-thread-phone');
  await askAndApprove(browser, stage, '/dpu reflash as7 --image bf-2.9.2', 'reflash-approval');
  await finished(browser, stage, desk, 'reflash-thread');
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
