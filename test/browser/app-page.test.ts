import type { App } from '@slack/bolt';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { desk, openAs, openWindow, phone, type Look } from '../../scripts/screenshot/browser.ts';
import { type ChatOptions, type RunningChat, startChat } from '../../src/lab/chat/server.ts';
import { button, call, createApp, lab, plain } from '../lab/chat/bolt.ts';
import { lowContrast, overflow, startBrowser, tabTo } from './support.ts';

const noon = Date.UTC(2026, 0, 15, 12, 0);
const ben = 'U0LABBEN01';
const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const modal = {
  type: 'modal' as const,
  callback_id: 'provision',
  title: plain('Provision'),
  submit: plain('Show the plan'),
  notify_on_close: true,
  blocks: [
    {
      type: 'input' as const,
      block_id: 'target',
      label: plain('Target'),
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    },
    {
      type: 'input' as const,
      block_id: 'approver',
      optional: true,
      label: plain('Approver'),
      element: { type: 'users_select' as const, action_id: 'who' },
    },
    {
      type: 'input' as const,
      block_id: 'when',
      optional: true,
      label: plain('Not before'),
      element: { type: 'timepicker' as const, action_id: 'time' },
    },
  ],
};

let browser: Browser;
let chat: RunningChat;
let page: Page;
let bolt: App | undefined;

beforeAll(async () => {
  browser = await startBrowser();
}, 60_000);
afterAll(() => browser.close());
beforeEach(() => start({}));
afterEach(async () => {
  await page.context().close();
  await stop();
});

async function start(options: ChatOptions): Promise<void> {
  chat = await startChat({ seed: 1, fileProcessingMs: 0, ...options });
}

async function stop(): Promise<void> {
  const stopped = bolt?.stop();
  bolt = undefined;
  await chat.close();
  await stopped;
}

async function open(look: Look = desk, person = 'ana'): Promise<void> {
  page = await openAs(await openWindow(browser, look), chat.url, person);
}

/** Sends a direct message as the app does. */
async function tell(user: string, text: string): Promise<void> {
  const { body } = await call(chat, 'conversations.open', { users: user });
  const { id } = body.channel as { id: string };
  await call(chat, 'chat.postMessage', {
    channel: id,
    text,
    blocks: [
      { type: 'section', text: plain(text) },
      { type: 'actions', elements: [button('approve', 'Approve')] },
    ],
  });
}

/** Connects an app that opens the modal; answers what it hears of it. */
async function startModalApp(): Promise<{ submitted: unknown[]; closed: string[] }> {
  const heard = { submitted: [] as unknown[], closed: [] as string[] };
  bolt = createApp(chat);
  bolt.command('/dpu', async ({ ack, command, client }) => {
    await ack();
    await client.views.open({ trigger_id: command.trigger_id, view: modal });
  });
  bolt.view('provision', async ({ ack, view }) => {
    heard.submitted.push(view.state.values);
    const isKnown = view.state.values.target?.text?.value === 'rack1';
    await (isKnown ? ack() : ack({ response_action: 'errors', errors: { target: 'There is no rack of that name.' } }));
  });
  bolt.view({ callback_id: 'provision', type: 'view_closed' }, async ({ ack, view }) => {
    heard.closed.push(view.callback_id);
    await ack();
  });
  await bolt.start();
  return heard;
}

async function openModal(): Promise<Locator> {
  await page.getByRole('textbox', { name: /^Message/ }).fill('/dpu provision');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Provision' });
  await dialog.waitFor();
  return dialog;
}

test('whoever is told something by the app sees it marked, also from another chair, and reads it in its Messages', async () => {
  await open();
  await tell(ben, 'Run 7 waits for your approval');
  const chair = page.getByRole('radio', { name: 'Ben Approver' });
  await page.locator('label', { has: chair }).getByText('1 unread for you').waitFor();

  await chair.click();
  await page.getByRole('button', { name: 'dpubot 1 unread for you' }).click();

  await page.getByRole('log', { name: 'Messages' }).getByText('Run 7 waits for your approval').waitFor();
  expect(await page.getByRole('tab', { name: 'Messages' }).getAttribute('aria-selected')).toBe('true');
  await expect.poll(() => page.getByText('unread for you').count()).toBe(0);
});

test('a list that is drawn anew while one of its buttons is pressed takes the press', async () => {
  await open();
  const asked = new Promise<Route>((resolve) => {
    void page.route('**/lab/chat/unread', resolve, { times: 1 });
  });
  await tell(ben, 'Run 7 waits for your approval');
  const route = await asked;

  await page.getByRole('button', { name: 'dpubot' }).hover();
  await page.mouse.down();
  const answered = page.waitForResponse('**/lab/chat/unread');
  await route.continue();
  await (await answered).finished();
  await page.mouse.up();

  await page.getByRole('tab', { name: 'Home' }).waitFor();
});

test('the arrow keys go between Home and Messages, and the focus goes along', async () => {
  await call(chat, 'views.publish', {
    user_id: 'U0LABANA01',
    view: { type: 'home', blocks: [{ type: 'header', text: plain('Your runs') }] },
  });
  await open();
  await page.getByRole('button', { name: 'dpubot' }).click();
  await page.getByRole('heading', { name: 'Your runs' }).waitFor();

  await tabTo(page, page.getByRole('tab', { name: 'Home' }));
  await page.keyboard.press('ArrowRight');

  await page.getByRole('textbox', { name: 'Message dpubot as Ana Ops' }).waitFor();
  const messages = page.getByRole('tab', { name: 'Messages' });
  await expect.poll(() => messages.evaluate((one) => one.matches(':focus'))).toBe(true);
});

test('a modal takes the focus and keeps it, says errors beside the field, and gives back what was typed', async () => {
  const heard = await startModalApp();
  await open();
  const dialog = await openModal();
  const target = dialog.getByRole('textbox', { name: 'Target' });

  const isFirst = await target.evaluate((one) => one.matches(':focus'));
  await page.keyboard.type('rack9');
  await dialog.getByRole('combobox', { name: /^Approver/ }).selectOption({ label: 'Ben Approver' });
  await target.press('Enter');
  const error = dialog.getByRole('alert');
  await error.waitFor();
  const describedBy = await target.getAttribute('aria-describedby');

  expect(isFirst).toBe(true);
  expect(await error.innerText()).toBe('There is no rack of that name.');
  expect(describedBy).toBe(await error.getAttribute('id'));
  expect(await target.evaluate((one) => one.matches(':focus'))).toBe(true);
  for (let presses = 0; presses < 9; presses += 1) {
    await page.keyboard.press('Tab');
    // From its last control the focus leaves to the browser's own, never to the page behind.
    expect(await page.evaluate('document.activeElement.closest("dialog, body")?.tagName ?? "BODY"')).toMatch(
      /DIALOG|BODY/,
    );
    expect(await page.evaluate('document.activeElement.closest("#app") === null')).toBe(true);
  }
  await target.fill('rack1');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  expect(heard.submitted[1]).toMatchObject({
    target: { text: { value: 'rack1' } },
    approver: { who: { type: 'users_select', selected_user: ben } },
    when: { time: { selected_time: null } },
  });
});

test('Escape closes a modal, the app hears of it, and the focus is where it was', async () => {
  const heard = await startModalApp();
  await open();
  const dialog = await openModal();

  await page.keyboard.press('Escape');

  await dialog.waitFor({ state: 'hidden' });
  await expect.poll(() => heard.closed).toEqual(['provision']);
  const box = page.getByRole('textbox', { name: /^Message/ });
  expect(await box.evaluate((one) => one.matches(':focus'))).toBe(true);
});

test('a picture is enlarged by keyboard, with its description, and closed by Escape', async () => {
  const content = Buffer.from(dot, 'base64');
  const reserved = await call(chat, 'files.getUploadURLExternal', { filename: 'dot.png', length: content.length });
  const id = String(reserved.body.file_id);
  await fetch(String(reserved.body.upload_url), { method: 'POST', body: new Uint8Array(content) });
  await call(chat, 'files.completeUploadExternal', { files: [{ id }] });
  const image = { type: 'image', alt_text: 'Throughput over time', slack_file: { id } };
  await call(chat, 'chat.postMessage', { channel: lab, text: 'chart', blocks: [image] });
  await open();
  const link = page.getByRole('log', { name: 'Messages' }).getByRole('link', { name: 'Throughput over time' });

  await link.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Throughput over time' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');

  await dialog.waitFor({ state: 'hidden' });
  expect(await link.evaluate((one) => one.matches(':focus'))).toBe(true);
});

test.each([
  ['ana', '13:00'],
  ['ben', '07:00'],
  ['dana', '13:00'],
])('times are in the zone of the person one is: %s reads %s', async (person, time) => {
  await stop();
  await start({ clock: { nowMs: () => noon } });
  const date = `<!date^${noon / 1000}^{time}|noon>`;
  const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: `since ${date}` } }];
  await call(chat, 'chat.postMessage', { channel: lab, text: 'since', blocks });

  await open(desk, person);

  const times = page.getByRole('log', { name: 'Messages' }).locator('time');
  expect(await times.allInnerTexts()).toEqual([time, time]);
});

test('faults and user groups are switched by hand in the lab controls', async () => {
  await open();
  await page.getByText('Lab controls').click();

  await page.getByRole('button', { name: 'Deliver everything twice' }).click();
  await page.getByText('On: duplicate').waitFor();
  await page.getByText('@dpu-approvers').click();
  await page.getByRole('checkbox', { name: 'Ben Approver' }).locator('visible=true').uncheck();

  expect(chat.faults()).toEqual([{ fault: 'duplicate' }]);
  await expect.poll(() => chat.groups.find((one) => one.handle === 'dpu-approvers')?.users).toEqual(['U0LABANA01']);
  await page.getByRole('button', { name: 'Clear all faults' }).click();
  await expect.poll(() => chat.faults()).toEqual([]);
});

test.each([
  ['light', phone],
  ['dark', desk],
] as const)('in %s colours modals and Home have contrast, and fit (%o)', async (scheme, look) => {
  await startModalApp();
  await tell('U0LABANA01', 'x'.repeat(200));
  await open({ ...look, scheme });
  const dialog = await openModal();
  await dialog.getByRole('button', { name: 'Show the plan' }).click();
  await dialog.getByRole('alert').waitFor();

  const inModal = await lowContrast(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  if (look.isPhone) await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('button', { name: 'dpubot' }).click();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await page.getByRole('log', { name: 'Messages' }).getByText('xxx').waitFor();
  const inApp = await lowContrast(page);

  expect([...inModal.found, ...inApp.found]).toEqual([]);
  expect(await overflow(page)).toBe(0);
});
