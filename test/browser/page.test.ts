import type { Browser, Page } from 'playwright-core';
import type { KnownBlock } from '@slack/types';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { desk, openAs, openWindow, phone, type Look } from '../../scripts/screenshot/browser.ts';
import { startChat, type RunningChat } from '../../src/lab/chat/server.ts';
import { bulletList, header, note, preformatted, runButtons, section, table } from '../../src/report/blocks.ts';
import { createChatPort } from '../../src/slack/chat-client.ts';
import { createFilePort } from '../../src/slack/file-client.ts';
import { withFile } from '../../src/slack/file-message.ts';
import { lowContrast, overflow, rowWith, spoken, startBrowser, tabTo } from './support.ts';

const channel = 'C0LABDPU01';
const hostile = `<img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script> <!channel> <@U0LABBEN01> \`\`\`</pre><b>bold</b>`;

let browser: Browser;
let chat: RunningChat;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
}, 60_000);
afterAll(() => browser.close());
beforeEach(async () => {
  chat = await startChat({ seed: 1 });
});
afterEach(async () => {
  await page.context().close();
  await chat.close();
});

async function open(look: Look = desk): Promise<void> {
  page = await openAs(await openWindow(browser, look), chat.url, 'ana');
}

/** Posts as the bot does, over the Web API; answers the timestamp. */
async function post(blocks: readonly object[], threadTs?: string): Promise<string> {
  return write('chat.postMessage', { blocks, ...(threadTs !== undefined && { thread_ts: threadTs }) });
}

/** Changes a message as the bot does. */
async function update(ts: string, blocks: readonly object[]): Promise<void> {
  await write('chat.update', { ts, blocks });
}

async function write(method: string, message: object): Promise<string> {
  const response = await fetch(`${chat.apiUrl}${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${chat.botToken}`, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ channel, text: 'test', ...message }),
  });
  const answer = (await response.json()) as { readonly ok: boolean; readonly ts: string; readonly error?: string };
  expect(answer).toMatchObject({ ok: true });
  return answer.ts;
}

/** One of everything that the reports are made of. */
function everyBlock(text: string): KnownBlock[] {
  const buttons = runButtons(7, 1, ['approve', 'reject', 'cancel', 'resume', 'details']);
  return [
    header('Run 7: provision rack1'),
    section(`*Waiting for approval* \`${'ab12'.repeat(16)}\` <@U0LABANA01> <@U0LABBEN01>`),
    note('*SIMULATED* · since <!date^1795356000^{time}|2026-11-22 14:00 UTC>'),
    bulletList(
      [{ bold: 'as7-dpu0' }, ' (serial ', { code: 'MT1' }, ')'],
      [{ spans: ['Right already: ', { bold: 'Identify' }, `: ${text}`] }, { indent: 1, spans: [{ dateMs: 0 }] }],
    ),
    preformatted(text),
    table(['Card', 'Host', 'Result', 'Changed', 'Was right', 'Took'], [['as7-dpu0', 'as7', text, '3', '2', '2.0 s']]),
    ...(buttons === undefined ? [] : [buttons]),
  ];
}

test('HTML, broadcasts and fences in device output stay letters: nothing runs, nobody is mentioned', async () => {
  await open();

  await post([preformatted(hostile), bulletList([], [{ spans: [hostile] }]), table(['Output'], [[hostile]])]);

  const row = rowWith(page.getByRole('log', { name: 'Messages' }), 'onerror');
  await row.waitFor();
  expect((await row.innerText()).split('<script>')).toHaveLength(4);
  expect(await row.locator('img[src=x], script, b, .mention').count()).toBe(0);
  expect(await page.title()).toBe('# dpu-lab - Pretend Slack');
});

test('HTML in mrkdwn that somebody forgot to escape does not become HTML either', async () => {
  await open();

  await post([section('before <img src=x onerror=alert(1)> <script>alert(1)</script> after')]);

  const row = rowWith(page.getByRole('log', { name: 'Messages' }), 'after');
  await row.waitFor();
  expect(await row.locator('img[src=x], script').count()).toBe(0);
});

test('every control has a name, and headings never skip a level', async () => {
  const root = await post(everyBlock('text'));
  await post(everyBlock('reply'), root);
  await open();
  await page.getByRole('log', { name: 'Thread' }).getByRole('table').first().waitFor();

  const tree = await spoken(page);

  const controls = tree.filter(({ role }) => /^(button|link|textbox|radio|combobox|checkbox|dialog|log)$/.test(role));
  expect(controls.length).toBeGreaterThan(15);
  expect(controls.filter(({ name }) => name === '')).toEqual([]);
  const levels = tree.filter(({ role }) => role === 'heading').map(({ level }) => level ?? 0);
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  const main = levels.slice(levels.indexOf(1));
  expect(main.filter((level, index) => index > 0 && level > (main[index - 1] ?? 0) + 1)).toEqual([]);
});

test('new messages are announced politely, edits are not', async () => {
  const ts = await post([section('first')]);
  await open();
  const log = page.getByRole('log', { name: 'Messages' });
  await page.locator('#scroller[aria-live=polite]').waitFor();

  await update(ts, [section('second')]);

  const row = rowWith(log, 'second');
  await row.waitFor();
  expect(await log.getAttribute('aria-live')).toBe('polite');
  expect(await row.getAttribute('aria-live')).toBe('off');
});

test('the first stop of the Tab key leads past menu and messages straight to the message box', async () => {
  await open();

  await tabTo(page, page.getByRole('link', { name: 'Skip to the message box' }), 1);
  await page.keyboard.press('Enter');
  await page.keyboard.type('hello');

  expect(await page.getByRole('textbox', { name: /^Message/ }).inputValue()).toBe('hello');
});

test('the Tab key goes through a message from top to bottom and then into the thread', async () => {
  const root = await post(everyBlock('text'));
  await post([section('reply')], root);
  await open();
  const row = rowWith(page.getByRole('log', { name: 'Messages' }), 'Run 7');

  const order = ['Approve run 7', 'Reject run 7', 'Cancel run 7', 'Resume run 7', 'Details run 7'];
  await tabTo(page, row.getByRole('button', { name: order[0] ?? '' }));
  for (const name of order.slice(1)) expect(await tabTo(page, row.getByRole('button', { name }))).toBe(1);
  await tabTo(page, page.getByRole('button', { name: 'Close the thread' }));
  await page.keyboard.press('Enter');

  await page.getByRole('complementary', { name: 'Thread' }).waitFor({ state: 'hidden' });
  expect(await page.getByRole('textbox', { name: /^Message/ }).evaluate((box) => box.matches(':focus'))).toBe(true);
});

test('a button that wants to be sure asks first; Escape presses nothing and gives the focus back', async () => {
  const text = (words: string) => ({ type: 'plain_text', text: words });
  const confirm = { title: text('Flash now?'), text: text('as7-dpu0'), confirm: text('Flash'), deny: text('No') };
  await post([
    { type: 'actions', elements: [{ type: 'button', action_id: 'flash', text: text('Flash'), value: '1', confirm }] },
  ]);
  await open();
  const button = page.getByRole('log', { name: 'Messages' }).getByRole('button', { name: 'Flash' });
  const before = chat.stats().acks.dispatchFailed;

  await button.click();
  await page.getByRole('dialog', { name: 'Flash now?' }).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(await button.evaluate((element) => element.matches(':focus'))).toBe(true);
  expect(chat.stats().acks.dispatchFailed).toBe(before);
});

test('a press that no app answers is told beside the button', async () => {
  await post(everyBlock('text'));
  await open();

  await page.getByRole('log', { name: 'Messages' }).getByRole('button', { name: 'Details run 7' }).click();

  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.innerText()).toContain('dpubot did not respond');
});

test('a card that changes while one of its buttons is pressed takes the press, and shows the change after it', async () => {
  const ts = await post(everyBlock('before'));
  await open();
  const log = page.getByRole('log', { name: 'Messages' });
  const other = await openAs(await openWindow(browser, desk), chat.url, 'ben');

  await log.getByRole('button', { name: 'Details run 7' }).hover();
  await page.mouse.down();
  await update(ts, everyBlock('after'));
  await rowWith(other.getByRole('log', { name: 'Messages' }), 'after').waitFor();
  const whilePressed = await log.innerText();
  const pressed = page.waitForRequest('**/lab/chat/press');
  await page.mouse.up();

  expect((await pressed).postDataJSON()).toMatchObject({ ts, actionId: expect.stringContaining('details') });
  expect(whilePressed).toContain('before');
  await rowWith(log, 'after').waitFor();
  await other.context().close();
});

test.each([
  ['light', desk],
  ['dark', desk],
  ['light', phone],
  ['dark', phone],
] as const)('in %s colours every text has a contrast of at least 4.5 (%o)', async (scheme, look) => {
  await post(everyBlock('text'));
  await open({ ...look, scheme });
  await rowWith(page.getByRole('log', { name: 'Messages' }), 'Run 7').waitFor();

  const { looked, found } = await lowContrast(page);

  expect(looked).toBeGreaterThan(25);
  expect(found).toEqual([]);
});

test('on a phone long words, tables and device output do not make the page scroll sideways', async () => {
  await post([section('x'.repeat(400)), header('y'.repeat(140)), ...everyBlock('z'.repeat(190)).slice(2)]);
  await open(phone);
  await rowWith(page.getByRole('log', { name: 'Messages' }), 'as7-dpu0').waitFor();

  expect(await overflow(page)).toBe(0);
});

test('on a phone the menu opens over the page, lets one become someone else, and closes', async () => {
  await open(phone);

  await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('radio', { name: 'Ben Approver' }).click();

  await page.getByRole('textbox', { name: 'Message # dpu-lab as Ben Approver' }).waitFor();
  await page.getByRole('radio', { name: 'Ben Approver' }).waitFor({ state: 'hidden' });
});

const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Posts a message with a file, uploaded as the publisher does it. */
async function postFile(name: string, mimeType: string, content: Buffer): Promise<void> {
  const access = { botToken: chat.botToken, apiUrl: chat.apiUrl };
  const files = createFilePort(access);
  const reserved = await files.reserve({ name, bytes: content.length });
  if (!reserved.ok) throw new Error(JSON.stringify(reserved.fault));
  const { fileId, uploadUrl } = reserved.value;
  await files.upload({ uploadUrl, content });
  await files.complete({ fileId, title: name });
  await expect.poll(async () => files.info(fileId)).toMatchObject({ value: { ready: true } });
  const info = await files.info(fileId);
  const ref = { id: 'x', name, mimeType, bytes: content.length, altText: 'A dot' };
  if (!info.ok || info.value === undefined) throw new Error('no file');
  const [message] = withFile({ text: name, blocks: [section('A file')] }, ref, { kind: 'stored', file: info.value });
  if (message === undefined) throw new Error('no message');
  await createChatPort(access).post({ channel, key: name, message });
}

test('a text file is downloaded from its message, by the link and by the file below', async () => {
  await postFile('console.txt', 'text/plain', Buffer.from('login: '));
  await open();
  const row = rowWith(page.getByRole('log', { name: 'Messages' }), 'A file');

  const addresses = await row
    .getByRole('link', { name: /^(Whole text|console\.txt)/ })
    .evaluateAll((links) => links.map(String));

  expect(addresses).toHaveLength(2);
  for (const address of addresses) expect(await (await page.request.get(address)).text()).toBe('login: ');
});

test('a picture is shown in its message', async () => {
  await postFile('dot.png', 'image/png', Buffer.from(dot, 'base64'));
  await open();

  const picture = page.getByRole('img', { name: 'A dot' });

  await picture.scrollIntoViewIfNeeded();
  await expect
    .poll(async () => picture.evaluate((image) => ('naturalWidth' in image ? image.naturalWidth : 0)))
    .toBe(1);
});
