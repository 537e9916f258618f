import { afterEach, describe, expect, test } from 'vitest';
import { errors } from '../../../src/errors.ts';
import { failureAnswer, textAnswer } from '../../../src/report/answers.ts';
import { runButtons, section } from '../../../src/report/blocks.ts';
import type { Form, Reply } from '../../../src/report/message.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import type { Call, Connected } from './setup.ts';
import { connect } from './setup.ts';

let bot: Connected | undefined;

afterEach(async () => {
  await bot?.close();
  bot = undefined;
});

const form: Form = {
  start: 'provision',
  title: 'Provision cards',
  submit: 'Look and plan',
  about: 'Each card is brought into the state that its profile wants.',
  fields: [
    {
      kind: 'targets',
      label: 'Racks and hosts',
      groups: [
        { label: 'Racks', choices: [{ value: 'rack1', text: 'rack1 (2 DPUs)' }] },
        { label: 'Hosts', choices: [{ value: 'as7', text: 'as7 (1 DPU)' }] },
      ],
      hint: 'A name.',
    },
    {
      kind: 'choice',
      flag: 'image',
      label: 'Image',
      choices: [{ value: 'bf-2.9.2', text: 'bf-2.9.2' }],
      optional: true,
    },
    { kind: 'switches', label: 'How', choices: [{ value: 'plan', text: '--plan', about: 'only look' }] },
  ],
};

/** The bare command is answered with the form, every other line as the test says. */
async function withForm(answer: (call: Call) => Reply | Promise<Reply> = () => undefined): Promise<Connected> {
  bot = await connect(async (call) => (call.invocation.text === 'provision' ? { form } : answer(call)));
  return bot;
}

async function openModal({ chat }: Connected, user = 'ana'): Promise<string> {
  await chat.say({ user, channel: '#dpu-lab', text: '/dpu provision' });
  await expect.poll(() => chat.views({ user }).modals.length, { timeout: 5000 }).toBe(1);
  return chat.views({ user }).modals[0]?.id ?? '';
}

describe('a command given without a word more', () => {
  test('opens a form; sent off, it is the same line as typed, given where it was opened', async () => {
    const connected = await withForm();
    const viewId = await openModal(connected);

    const sent = await connected.chat.submitView({
      user: 'ana',
      viewId,
      values: {
        picked: { value: ['rack1', 'as7'] },
        typed: { value: 'tag:gen5' },
        'flag:image': { value: 'bf-2.9.2' },
        switches: { value: ['plan'] },
      },
    });

    expect(sent).toEqual({ status: 'closed' });
    expect(connected.calls.at(-1)).toMatchObject({
      userId: 'U0LABANA01',
      invocation: {
        text: 'provision rack1,as7,tag:gen5 --image bf-2.9.2 --plan',
        channel: connected.chat.channels[0]?.id,
        channelName: 'dpu-lab',
        source: 'modal',
      },
    });
  });

  test('without a target the form says so beside its field, and nothing is carried out', async () => {
    const connected = await withForm();
    const viewId = await openModal(connected);

    const sent = await connected.chat.submitView({ user: 'ana', viewId });

    expect(sent).toMatchObject({ status: 'errors', errors: { typed: expect.stringContaining('type it here') } });
    expect(connected.calls).toHaveLength(1);
  });

  test('a refusal stands in the form, which keeps what was filled in and may be sent off again', async () => {
    let refusals = 1;
    const connected = await withForm(() =>
      refusals-- > 0
        ? failureAnswer(errors.runUnknown({ run: 7 }).failure)
        : textAnswer('Your place in the queue is 2.'),
    );
    const viewId = await openModal(connected);
    const send = async () =>
      connected.chat.submitView({ user: 'ana', viewId, values: { typed: { value: "ana's rack" } } });

    const first = await send();
    const second = await send();

    expect(first).toMatchObject({ status: 'errors', errors: { typed: expect.stringContaining('no run 7') } });
    expect(second).toEqual({ status: 'closed' });
    expect(connected.calls.at(-1)?.invocation.text).toBe(`provision 'ana'"'"'s rack'`);
    const told = await connected.chat.waitForMessage(({ text }) => text === 'Your place in the queue is 2.');
    expect(told.is_ephemeral).toBe(true);
  });

  test('whoever gets no answer in time and sends it off again does not start the work twice', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const connected = await withForm(async () => {
      await finished;
      return undefined;
    });
    const viewId = await openModal(connected);
    const send = async () => connected.chat.submitView({ user: 'ana', viewId, values: { typed: { value: 'rack1' } } });

    const first = send();
    await expect.poll(() => connected.calls.length, { timeout: 5000 }).toBe(2);
    const second = await send();
    finish();

    expect(second).toMatchObject({ status: 'errors', errors: { typed: expect.stringContaining('sent off already') } });
    expect(await first).toEqual({ status: 'closed' });
    expect(connected.calls).toHaveLength(2);
  });

  test('that Slack delivers twice is opened once and carried out once', async () => {
    const connected = await withForm();
    connected.chat.setFault({ fault: 'duplicate' });

    const viewId = await openModal(connected);
    await connected.chat.submitView({ user: 'ana', viewId, values: { typed: { value: 'rack1' } } });

    expect(connected.calls.map(({ invocation }) => invocation.text)).toEqual(['provision', 'provision rack1']);
  });

  test('that Slack says was opened already tells the person what to type, in case they see none', async () => {
    const connected = await withForm();
    connected.chat.setFault({ fault: 'lost-reply', method: 'views.open', times: 1 });

    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu provision' });

    const told = await connected.chat.waitForMessage(({ text }) => text.includes('opened already'));
    expect(told.text).toContain('/dpu provision TARGET');
    expect(connected.chat.views({ user: 'ana' }).modals).toHaveLength(1);
  });

  test('when Slack does not open it, the person is told how to type it', async () => {
    const connected = await withForm();
    connected.chat.setFault({ fault: 'api-error', method: 'views.open', error: 'expired_trigger_id', times: 1 });

    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu provision' });

    const told = await connected.chat.waitForMessage(({ text }) => text.includes('could not be opened'));
    expect(told.text).toContain('/dpu provision TARGET');
    expect(connected.chat.views({ user: 'ana' }).modals).toEqual([]);
  });
});

describe('the button Reject', () => {
  async function pressReject({ chat }: Connected): Promise<void> {
    const channel = chat.channels[0]?.id ?? '';
    const buttons = runButtons(418, 3, ['approve', 'reject']);
    const blocks = [section('Run 418'), ...(buttons === undefined ? [] : [buttons])];
    const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    const posted = await port.post({ channel, key: 'run418/card', message: { text: 'Run 418', blocks } });
    if (!posted.ok) throw new Error(JSON.stringify(posted.fault));
    await chat.press({ user: 'ben', channel: '#dpu-lab', ts: posted.value, actionId: 'run:reject' });
  }

  test('asks why, and rejects the plan that was on the card', async () => {
    const connected = await withForm();
    await pressReject(connected);
    const modals = () => connected.chat.views({ user: 'ben' }).modals;
    await expect.poll(() => modals().length, { timeout: 5000 }).toBe(1);

    await connected.chat.submitView({
      user: 'ben',
      viewId: modals()[0]?.id ?? '',
      values: { 'flag:reason': { value: 'wrong rack, sorry' } },
    });

    expect(connected.calls).toMatchObject([
      {
        userId: 'U0LABBEN01',
        invocation: { text: "reject 418 --generation 3 --reason 'wrong rack, sorry'", source: 'modal' },
      },
    ]);
  });

  test('says how to type it when the form does not open', async () => {
    const connected = await withForm();
    connected.chat.setFault({ fault: 'api-error', method: 'views.open', error: 'internal_error', times: 2 });

    await pressReject(connected);

    const told = await connected.chat.waitForMessage(({ text }) => text.includes('could not be opened'));
    expect(told.text).toContain('/dpu reject 418 --reason "..."');
    expect(connected.calls).toEqual([]);
  });
});
