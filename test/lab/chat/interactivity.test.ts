import type { BlockAction, SlashCommand, ViewSubmitAction } from '@slack/bolt';
import { afterEach, expect, test } from 'vitest';
import { button, call, createClock, lab, type Pair, plain, postJson, startPair } from './bolt.ts';

let pair: Pair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

const modal = {
  type: 'modal' as const,
  callback_id: 'bench',
  title: plain('Benchmark'),
  submit: plain('Start'),
  private_metadata: 'opaque',
  notify_on_close: true,
  blocks: [
    {
      type: 'input' as const,
      block_id: 'pair',
      label: plain('Pair'),
      element: {
        type: 'static_select' as const,
        action_id: 'choice',
        options: [
          { text: plain('as7 - as8'), value: 'as7+as8' },
          { text: plain('as9 - as10'), value: 'as9+as10' },
        ],
      },
    },
    {
      type: 'input' as const,
      block_id: 'why',
      optional: true,
      label: plain('Reason'),
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    },
  ],
};

/** An app that keeps its slash commands and acknowledges them without a word. */
async function startListening(options = {}): Promise<{ commands: SlashCommand[]; started: Pair }> {
  const commands: SlashCommand[] = [];
  const started = await startPair((app) => {
    app.command('/dpu', async ({ ack, command }) => {
      commands.push(command);
      await ack();
    });
  }, options);
  pair = started;
  await started.chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
  return { commands, started };
}

test('a trigger_id opens one modal, and none after its time', async () => {
  const clock = createClock();
  const { commands, started } = await startListening({ clock });
  const open = (trigger: string): ReturnType<typeof call> =>
    call(started.chat, 'views.open', { trigger_id: trigger, view: modal });

  const first = await open(commands[0]?.trigger_id ?? '');
  const again = await open(commands[0]?.trigger_id ?? '');
  await started.chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
  clock.advance(3_001);
  const late = await open(commands[1]?.trigger_id ?? '');

  expect(first.body.ok).toBe(true);
  expect(again.body.error).toBe('exchanged_trigger_id');
  expect(late.body.error).toBe('expired_trigger_id');
});

test('a response_url takes five posts, then no more', async () => {
  const { commands, started } = await startListening();
  const url = commands[0]?.response_url ?? '';
  const answers = [];
  for (let n = 1; n <= 6; n += 1) {
    answers.push(await postJson(url, { text: `post ${n}` }));
  }

  expect(answers.map((one) => one.status)).toEqual([200, 200, 200, 200, 200, 404]);
  expect(answers[5]?.text).toBe('used_url');
  expect(started.chat.messages({ user: 'ana', channel: 'dpu-lab' })).toHaveLength(5);
  expect(started.chat.messages({ user: 'ben', channel: 'dpu-lab' })).toHaveLength(0);
  expect(started.chat.stats().responseUrl).toEqual({ posts: 5, refused: 1, implicitReplace: 0 });
});

test('a response_url ends after 30 minutes', async () => {
  const clock = createClock();
  const { commands } = await startListening({ clock });
  clock.advance(30 * 60_000 + 1);

  const answer = await postJson(commands[0]?.response_url ?? '', { text: 'late' });

  expect(answer).toEqual({ status: 404, text: 'expired_url' });
});

test('a click on an ephemeral message can replace and delete it', async () => {
  const clicks: BlockAction[] = [];
  pair = await startPair((app) => {
    app.action<BlockAction>('more', async ({ ack, body, respond }) => {
      clicks.push(body);
      await ack();
      await respond({ replace_original: true, text: 'replaced' });
    });
  });
  const { chat } = pair;
  const { body } = await call(chat, 'chat.postEphemeral', {
    channel: lab,
    user: 'U0LABANA01',
    text: 'details',
    blocks: [{ type: 'actions', elements: [button('more')] }],
  });

  await chat.press({ user: 'ana', channel: 'dpu-lab', ts: String(body.message_ts), actionId: 'more' });
  const replaced = await chat.waitForMessage((message) => message.text === 'replaced');
  await postJson(clicks[0]?.response_url ?? '', { delete_original: true });

  expect(clicks[0]).toMatchObject({ container: { is_ephemeral: true, message_ts: body.message_ts } });
  expect(clicks[0]).not.toHaveProperty('message');
  expect(replaced).toMatchObject({ is_ephemeral: true, ts: body.message_ts });
  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' })).toEqual([]);
});

test('a modal is refused without its required field, shows the errors of the app, and then closes', async () => {
  const submissions: ViewSubmitAction[] = [];
  pair = await startPair((app) => {
    app.command('/dpu', async ({ ack, command, client }) => {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: modal });
    });
    app.view<ViewSubmitAction>('bench', async ({ ack, body }) => {
      submissions.push(body);
      await (submissions.length === 1 ? ack({ response_action: 'errors', errors: { pair: 'as8 is held' } }) : ack());
    });
  });
  const { chat } = pair;
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu bench' });
  await chat.waitFor((event) => event.type === 'view/opened', { user: 'U0LABANA01' });
  const viewId = chat.views({ user: 'ana' }).modals[0]?.id ?? '';
  const values = { pair: { choice: 'as9+as10' } };

  const empty = await chat.submitView({ user: 'ana', viewId });
  const held = await chat.submitView({ user: 'ana', viewId, values });
  const fine = await chat.submitView({ user: 'ana', viewId, values });

  expect(empty).toEqual({ status: 'errors', errors: { pair: 'Please complete this required field.' } });
  expect(held).toEqual({ status: 'errors', errors: { pair: 'as8 is held' } });
  expect(fine).toEqual({ status: 'closed' });
  expect(chat.views({ user: 'ana' }).modals).toEqual([]);
  expect(submissions[0]?.view).toMatchObject({
    callback_id: 'bench',
    private_metadata: 'opaque',
    state: {
      values: {
        pair: { choice: { type: 'static_select', selected_option: { value: 'as9+as10' } } },
        why: { text: { type: 'plain_text_input', value: null } },
      },
    },
  });
});

test('a closed modal tells the app when it wants to know', async () => {
  const closed = new Promise<string>((resolve) => {
    void startPair((app) => {
      app.command('/dpu', async ({ ack, command, client }) => {
        await ack();
        await client.views.open({ trigger_id: command.trigger_id, view: modal });
      });
      app.view({ callback_id: 'bench', type: 'view_closed' }, async ({ ack, view }) => {
        await ack();
        resolve(view.private_metadata);
      });
    }).then(async (started) => {
      pair = started;
      await started.chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
      await started.chat.waitFor((event) => event.type === 'view/opened');
      const viewId = started.chat.views({ user: 'ana' }).modals[0]?.id ?? '';
      await started.chat.closeView({ user: 'ana', viewId });
    });
  });

  expect(await closed).toBe('opaque');
});

test('views.update keeps the id and refuses an old hash', async () => {
  const { commands, started } = await startListening();
  const opened = await call(started.chat, 'views.open', { trigger_id: commands[0]?.trigger_id, view: modal });
  const { id, hash } = opened.body.view as { id: string; hash: string };
  const update = (withHash: string): ReturnType<typeof call> =>
    call(started.chat, 'views.update', { view_id: id, hash: withHash, view: { ...modal, title: plain('Later') } });

  const fresh = await update(hash);
  const stale = await update(hash);

  expect(fresh.body.view).toMatchObject({ id, title: plain('Later') });
  expect(stale.body.error).toBe('hash_conflict');
});

test('errors for a block that is no input are an answer the client cannot show', async () => {
  pair = await startPair((app) => {
    app.command('/dpu', async ({ ack, command, client }) => {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: modal });
    });
    app.view('bench', async ({ ack }) => ack({ response_action: 'errors', errors: { nowhere: 'no' } }));
  });
  const { chat } = pair;
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
  await chat.waitFor((event) => event.type === 'view/opened');
  const viewId = chat.views({ user: 'ana' }).modals[0]?.id ?? '';

  const result = await chat.submitView({ user: 'ana', viewId, values: { pair: { choice: 'as7+as8' } } });

  expect(result).toMatchObject({ status: 'failed', text: 'We had some trouble connecting. Try again?' });
  expect(chat.views({ user: 'ana' }).modals).toHaveLength(1);
});

test('modals are pushed three high, and one that clears on close takes all with it and says so of each', async () => {
  const closed: { id: string; isCleared: unknown }[] = [];
  const clicks: BlockAction[] = [];
  const pushing = { ...modal, clear_on_close: true, blocks: [{ type: 'actions', elements: [button('more')] }] };
  pair = await startPair((app) => {
    app.command('/dpu', async ({ ack, command }) => {
      await ack();
      await call(chatOf(), 'views.open', { trigger_id: command.trigger_id, view: pushing });
    });
    app.action<BlockAction>('more', async ({ ack, body }) => {
      clicks.push(body);
      await ack();
    });
    app.view({ callback_id: 'bench', type: 'view_closed' }, async ({ ack, view, body }) => {
      closed.push({ id: view.id, isCleared: 'is_cleared' in body ? body.is_cleared : undefined });
      await ack();
    });
  });
  const chatOf = (): Pair['chat'] => (pair as Pair).chat;
  const chat = chatOf();
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
  await chat.waitFor((event) => event.type === 'view/opened');
  const errors = [];
  for (let height = 1; height <= 3; height += 1) {
    await chat.press({ user: 'ana', viewId: chat.views({ user: 'ana' }).modals.at(-1)?.id, actionId: 'more' });
    const { body } = await call(chat, 'views.push', { trigger_id: clicks.at(-1)?.trigger_id, view: pushing });
    errors.push(body.error);
  }
  const stack = chat.views({ user: 'ana' }).modals.map((view) => view.id);

  await chat.closeView({ user: 'ana', viewId: stack.at(-1) ?? '' });

  expect(errors).toEqual([undefined, undefined, 'push_limit_reached']);
  expect(closed).toEqual(stack.reverse().map((id) => ({ id, isCleared: true })));
  expect(chat.views({ user: 'ana' }).modals).toEqual([]);
});

test('a click carries what else is filled in around it', async () => {
  const clicks: BlockAction[] = [];
  pair = await startPair((app) => {
    app.action<BlockAction>('go', async ({ ack, body }) => {
      clicks.push(body);
      await ack();
    });
  });
  const { chat } = pair;
  const options = [{ text: plain('rack1'), value: 'rack1' }];
  const menu = { type: 'static_select', action_id: 'rack', options };
  const { body } = await call(chat, 'chat.postMessage', {
    channel: lab,
    text: 'card',
    blocks: [{ type: 'actions', block_id: 'b', elements: [menu, button('go')] }],
  });

  await chat.press({
    user: 'ana',
    channel: lab,
    ts: body.ts,
    actionId: 'go',
    values: { b: { rack: 'rack1' } },
  });

  expect(clicks[0]?.state?.values).toMatchObject({ b: { rack: { selected_option: { value: 'rack1' } } } });
});
