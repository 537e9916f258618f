import type { Browser, Locator, Page } from 'playwright-core';
import { z } from 'zod';
import type { Stage } from '../../scripts/demo/stage.ts';
import { logTails, setStage } from '../../scripts/demo/stage.ts';
import type { Look } from '../../scripts/screenshot/browser.ts';
import { desk, launchBrowser, openAs, openWindow } from '../../scripts/screenshot/browser.ts';
import { ensureChromium, ensureRedis } from '../../scripts/setup.mjs';
import { lowContrastIn } from './audit.js';

const Contrast = z.object({ looked: z.number(), found: z.array(z.string()) });
const Node = z.object({
  ignored: z.boolean(),
  role: z.object({ value: z.unknown().optional() }).optional(),
  name: z.object({ value: z.unknown().optional() }).optional(),
  properties: z.array(z.object({ name: z.string(), value: z.object({ value: z.unknown().optional() }) })).optional(),
});

/** Chromium as the tests of this layer use it. */
export function startBrowser(): Promise<Browser> {
  return launchBrowser(process.env['DPUBOT_TEST_CHROMIUM'] ?? ensureChromium());
}

/** Texts with less contrast than 4.5 to what is behind them, each with its ratio; `looked` is how many were judged. */
export async function lowContrast(page: Page): Promise<z.infer<typeof Contrast>> {
  return Contrast.parse(await page.evaluate(lowContrastIn, 4.5));
}

/** One entry of what a screen reader is told. */
export interface Spoken {
  readonly role: string;
  readonly name: string;
  readonly level: number | undefined;
}

/** The page's accessibility tree, in reading order, as the browser itself computes it. */
export async function spoken(page: Page): Promise<Spoken[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    return z
      .array(Node)
      .parse(nodes)
      .filter((node) => !node.ignored)
      .map((node) => {
        const level = node.properties?.find((property) => property.name === 'level')?.value.value;
        const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
        return {
          role: text(node.role?.value),
          name: text(node.name?.value),
          level: typeof level === 'number' ? level : undefined,
        };
      });
  } finally {
    await session.detach();
  }
}

/** How far content reaches beyond the right edge of what is shown, in pixels; 0 = nothing scrolls sideways. */
export async function overflow(page: Page): Promise<number> {
  const wide = await page.evaluate(
    `Math.max(...[...document.querySelectorAll('html, body, .app, .channel, .thread, .scroller, .message-body')]
      .map((one) => one.scrollWidth - one.clientWidth))`,
  );
  return z.number().parse(wide);
}

/** Whether a person sees the whole of it without scrolling. */
export async function isInView(control: Locator): Promise<boolean> {
  const scroller = control.locator('xpath=ancestor::*[@role="log"]');
  const [box, around] = await Promise.all([control.boundingBox(), scroller.boundingBox()]);
  if (box === null || around === null) return false;
  return box.y >= around.y - 1 && box.y + box.height <= around.y + around.height + 1;
}

/** Presses Tab until the control has the focus; how often is the answer. */
export async function tabTo(page: Page, control: Locator, limit = 80): Promise<number> {
  for (let presses = 1; presses <= limit; presses += 1) {
    await page.keyboard.press('Tab');
    const isThere = await control.evaluate((element) => element.matches(':focus'));
    if (isThere) return presses;
  }
  throw new Error(`the control cannot be reached with ${limit} presses of Tab`);
}

/** A message of a pane by its words; bullets inside messages are list items too. */
export function rowWith(pane: Locator, text: string | RegExp): Locator {
  return pane.locator('li.message').filter({ hasText: text });
}

/** Whole stage with the windows of two people. */
export interface TwoPeople {
  readonly stage: Stage;
  readonly browser: Browser;
  readonly ana: Page;
  readonly ben: Page;
  /** Opens one more window of a person. */
  open(person: string, look?: Look): Promise<Page>;
}

/** Sets the stage in the folder: pretend rack, pretend Slack, bot and worker; ana and ben have the page open. */
export async function setTwoPeople(folder: string): Promise<TwoPeople> {
  let stage: Stage;
  try {
    stage = await setStage(folder, await ensureRedis());
  } catch (error) {
    throw new Error(logTails(folder), { cause: error });
  }
  const browser = await startBrowser();
  const open = async (person: string, look: Look = desk): Promise<Page> =>
    openAs(await openWindow(browser, look), stage.pageUrl, person);
  return { stage, browser, ana: await open('ana'), ben: await open('ben'), open };
}

/** What the chat shows and the processes have logged: it explains a failure, a screenshot would need eyes. */
export async function tellFailure(folder: string, ...shown: readonly Locator[]): Promise<void> {
  const texts = [...(await Promise.all(shown.map(async (one) => one.innerText()))), logTails(folder)];
  process.stderr.write(`${texts.join('\n---\n')}\n`);
}

/** Types a line into the channel and sends it. */
export async function type(page: Page, line: string): Promise<void> {
  await page.getByRole('textbox', { name: /^Message/ }).fill(line);
  await page.keyboard.press('Enter');
}

export function channelOf(page: Page): Locator {
  return page.getByRole('log', { name: 'Messages' });
}

export function threadOf(page: Page): Locator {
  return page.getByRole('log', { name: 'Thread' });
}
