import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { desk, openAs, openWindow } from '../../scripts/screenshot/browser.ts';
import { crowd, figuresOf } from '../support/lab/crowd.ts';
import { loadSettings, reportFigures } from '../support/lab/load-settings.ts';
import { Stack } from '../support/lab/stack.ts';
import { startBrowser } from './support.ts';

const hosts = 20;
/** At this speed of the pretend devices the last of twenty runs ends before a minute is over. */
const timeFactorForMinute = 6;
/** After the watch, until the last card says its end. */
const endLimitMs = 120_000;

const { seconds, picture } = loadSettings;
let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  // Devices no faster than real ones, however long the watch is.
  const timeFactor = Math.max(1, (timeFactorForMinute * 60) / seconds);
  stack = await Stack.start({ hosts, workers: ['one', 'two', 'three'], timeFactor });
  browser = await startBrowser();
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 30_000);

test(
  `${hosts} runs at once: no 429 is taken, and each card says in the end how its run ended`,
  { timeout: seconds * 1000 + endLimitMs + 60_000 },
  async () => {
    onTestFailed(() => void process.stderr.write(stack.processes.logTails()));
    const page = await openAs(await openWindow(browser, desk), stack.lab.chat.url, 'ana');
    const halfTime = setTimeout(() => void takePicture(), seconds * 500);
    const takePicture = async (): Promise<void> => {
      if (picture !== undefined) await page.screenshot({ path: picture });
    };

    const figures = await crowd(stack, seconds, endLimitMs);

    clearTimeout(halfTime);
    reportFigures(`${hosts} runs at once`, figuresOf(figures));
    const { rateLimited, invalidBlockMessages, acks } = figures.stats;
    expect({ rateLimited, invalidBlockMessages }).toEqual({ rateLimited: 0, invalidBlockMessages: [] });
    expect(acks).toMatchObject({ timeouts: 0, dispatchFailed: 0 });
    expect(figures.ends).toEqual({ done: 12, rejected: 2, cancelled: 4, failed: 2 });
    // Nothing on the page of somebody who has read along all the time can be cancelled or approved any more.
    const channel = page.getByRole('log', { name: 'Messages' });
    await expect.poll(() => channel.getByRole('button', { name: /^(Approve|Cancel)/ }).count()).toBe(0);
    expect(await channel.getByRole('heading', { name: /^Run \d+: provision as\d+/ }).count()).toBe(hosts);
  },
);
