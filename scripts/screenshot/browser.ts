import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** Wall time a thing on the page may take to appear. */
export const pageLimitMs = 30_000;

/** How a window looks: a desk, or a phone held upright. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
  readonly isPhone: boolean;
}

export const desk: Look = { width: 1280, height: 800, scheme: 'light', isPhone: false };
export const phone: Look = { width: 390, height: 844, scheme: 'light', isPhone: true };

/**
 * Starts Debian's Chromium with a fresh profile that is gone when the browser is closed. It talks to nobody but the page.
 *
 * @param program Path of the Chromium to run.
 */
export function launchBrowser(program: string): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    // The script that starts the browser ends it; two hands on Ctrl-C would race.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    timeout: pageLimitMs,
  });
}

/** A window of its own, with its own storage: what one person sits before. */
export async function openWindow(browser: Browser, look: Look, scale = 1): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    colorScheme: look.scheme,
    deviceScaleFactor: scale,
    hasTouch: look.isPhone,
    isMobile: look.isPhone,
    locale: 'en-GB',
    timezoneId: 'Etc/UTC',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(pageLimitMs);
  return context;
}

/** Opens the pretend Slack as one person and waits until the page knows who is there. */
export async function openAs(context: BrowserContext, pageUrl: string, person: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${pageUrl}?as=${person}`);
  await page.getByRole('heading', { level: 1, name: '# dpu-lab' }).waitFor();
  return page;
}
