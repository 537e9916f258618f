import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHome } from '../../../commands/home.ts';
import type { CommandContext } from '../../../commands/define.ts';
import { createDispatch } from '../../../commands/dispatch.ts';
import type { ChatEvent, ViewObject } from '../../../src/lab/chat/types.ts';
import type { World } from '../../unit/commands/doubles.ts';
import { createWorld } from '../../unit/commands/doubles.ts';
import type { Connected } from './setup.ts';
import { wallClock } from './publisher.ts';
import { connect } from './setup.ts';

const ana = 'U0LABANA01';
const ben = 'U0LABBEN01';

let bot: Connected;
let world: World;
let ending: AbortController;
let changed: (runId: number) => void;

/** The real commands and the real entrance between a pretend Slack and a fleet in memory, in which run 418 waits. */
beforeEach(async () => {
  world = createWorld();
  world.inventory = {
    ...world.inventory,
    roles: {
      operators: { users: [ana], userGroups: [] },
      approvers: { users: [ben], userGroups: [] },
      admins: { users: [], userGroups: [] },
    },
  };
  world.people.set('U0LABCARA1', { guest: true });
  ending = new AbortController();
  changed = () => {};
  const context: CommandContext = {
    ...world.context,
    notifier: {
      changed: async (runId) => changed(runId),
      subscribe: async (onChange) => {
        changed = onChange;
        return async () => {};
      },
    },
  };
  const dispatch = createDispatch(context);
  const ports = { ...context, posts: { all: async () => [] }, workspaceUrl: 'http://127.0.0.1/' };
  const { notifier } = context;
  bot = await connect(async ({ userId, invocation }) => dispatch(userId, invocation), {
    home: { draw: createHome(ports), notifier, clock: wallClock, signal: ending.signal },
  });
  await world.say(ana, 'provision dpu-a');
  const run = world.runs.get(418);
  if (run === undefined) throw new Error('no run was made');
  const times = { requestedAtMs: world.nowMs, expiresAtMs: world.nowMs + 3_600_000 };
  const approval = {
    ...times,
    generation: 3,
    state: 'open' as const,
    hashes: {},
    risk: 'disruptive' as const,
    votes: [],
    askers: [run.requester],
  };
  world.runs.set(418, { ...run, state: 'awaiting-approval', approval });
});

afterEach(async () => {
  ending.abort();
  await bot.close();
});

/** The next Home that is published for the person. */
async function nextHome(user: string, act: () => unknown): Promise<ViewObject> {
  const afterId = bot.chat.lastEventId();
  await act();
  const isTheirs = (event: ChatEvent): boolean => event.type === 'home/published' && event.user === user;
  const event = await bot.chat.waitFor(isTheirs, { afterId });
  if (event.type !== 'home/published') throw new Error('not a Home');
  return event.view;
}

async function openHome(user: string): Promise<ViewObject> {
  return nextHome(user, () => bot.chat.openHome({ user }));
}

describe('Home on the pretend Slack', () => {
  test('shows the approver the run that waits; Approve pressed there is her vote, and its answer stands at the top', async () => {
    const before = await openHome(ben);

    const after = await nextHome(ben, async () =>
      bot.chat.press({ user: ben, viewId: before.id, actionId: 'run:approve', blockId: 'approval-418' }),
    );

    expect(JSON.stringify(before.blocks)).toContain('*Risk:* disruptive');
    expect(world.runs.get(418)?.approval).toMatchObject({ state: 'approved', votes: [{ by: { userId: ben } }] });
    expect(bot.calls).toMatchObject([{ userId: ben, invocation: { text: 'approve 418 --generation 3' } }]);
    expect(JSON.stringify(after.blocks)).toContain('Run 418 is approved.');
    expect(JSON.stringify(after.blocks)).toContain('No run waits for you.');
    expect(bot.chat.stats().invalidBlocks).toBe(0);
  });

  test('shows the requester her run, and Details pressed there show its whole card, without leaving Home', async () => {
    const before = await openHome(ana);

    const after = await nextHome(ana, async () =>
      bot.chat.press({ user: ana, viewId: before.id, actionId: 'run:details', blockId: 'run-418' }),
    );

    expect(JSON.stringify(before.blocks)).toContain('*Waiting for approval*');
    expect(JSON.stringify(before.blocks)).not.toContain('approval-418');
    expect(JSON.stringify(after.blocks)).toContain('Run 418: provision dpu-a');
  });

  test('Cancel pressed there without the right is refused at the top of the page, with what is needed', async () => {
    world.inventory = {
      ...world.inventory,
      policy: { ...world.inventory.policy, operate: ['operators', 'approvers'] },
    };
    const run = world.runs.get(418);
    if (run) world.runs.set(418, { ...run, resumedBy: { userId: ben, teamId: 'T1', displayName: 'ben' } });
    const before = await openHome(ben);
    world.inventory = { ...world.inventory, policy: { ...world.inventory.policy, operate: ['operators'] } };

    const after = await nextHome(ben, async () =>
      bot.chat.press({ user: ben, viewId: before.id, actionId: 'run:cancel', blockId: 'run-418' }),
    );

    expect(JSON.stringify(after.blocks)).toContain('needs the role operators');
    expect(world.runs.get(418)?.cancel).toBeUndefined();
  });

  test('is drawn anew by Refresh, with what has changed since', async () => {
    const before = await openHome(ana);
    world.halt = { by: 'dana', reason: 'power works', sinceMs: 0 };

    const after = await nextHome(ana, async () =>
      bot.chat.press({ user: ana, viewId: before.id, actionId: 'home:refresh' }),
    );

    expect(JSON.stringify(after.blocks)).toContain('*HALTED*');
    expect(after.id).toBe(before.id);
  });

  test('tells a guest that dpubot is not open to guests, and nothing of the fleet', async () => {
    const view = await openHome('U0LABCARA1');

    expect(JSON.stringify(view.blocks)).toContain('dpubot is not open to you');
    expect(JSON.stringify(view.blocks)).not.toContain('418');
  });

  test('is there at the second try when Slack asks to wait, and when its answer got lost', async () => {
    bot.chat.setFault({ fault: 'rate-limit-now', method: 'views.publish', retryAfterSec: 1, times: 1 });
    const first = await openHome(ana);
    bot.chat.setFault({ fault: 'lost-reply', method: 'views.publish', times: 1 });
    const second = await openHome(ana);

    expect(JSON.stringify(first.blocks)).toContain('Run 418');
    expect(JSON.stringify(second.blocks)).toContain('Run 418');
  });
});
