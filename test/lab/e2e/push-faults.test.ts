import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';
import {
  expectProvisioned,
  expectStop,
  order,
  pushing,
  resume,
  type Scene,
} from '../../support/lab/troubled-provision.ts';

let stack: Stack;

beforeAll(async () => {
  // Not faster: a push takes some seconds then, in which things can happen to it.
  stack = await Stack.start({ hosts: 3, whole: true, timeFactor: 160, workers: ['worker', 'second'] });
}, 120_000);
afterAll(async () => stack.stop());

/** A run whose image is on its way to the card. */
async function push(host: string): Promise<Scene> {
  const scene = await order(stack, host);
  await stack.approve(scene.id);
  await pushing(scene);
  return scene;
}

describe('while an image is pushed', () => {
  it('a worker that dies leaves the push alone; the other one picks it up and brings it to its end', async () => {
    const scene = await push('as7');
    const holder = (await stack.records.stores.leases.holder('as7'))?.workerId ?? '';

    await stack.processes.kill(holder);
    const { pushes } = await stack.rack.card(scene.card);

    expect(pushes).toEqual({ begun: 1, running: 1, most: 1 });
    await expectProvisioned(scene, 1);
    const events = await stack.records.journal(scene.id);
    const workers = events.flatMap(({ event }) => (event.type === 'unit-started' ? [event.worker] : []));
    expect(new Set(workers)).toEqual(new Set(['worker', 'second']));
    const began = events.flatMap(({ event }) =>
      event.type === 'intent' && event.action.startsWith('push-') ? [event] : [],
    );
    expect(began.map((event) => event.action)).toEqual(['push-1', 'push-1']);
    await stack.processes.restart(holder);
  });

  it.concurrent('a host that restarts ends it: nothing is assumed, and resume flashes the card anew', async () => {
    const scene = await push('as8');

    await stack.rack.reboot('as8');

    await expectStop(scene, {
      state: 'needs-human',
      code: 'flash-interrupted',
      deviceState: 'unknown',
      next: /runbook.*\/dpu resume \d+` flashes the card anew/,
    });
    expect((await stack.rack.card(scene.card)).pushes).toEqual({ begun: 1, running: 0, most: 1 });
    const thread = (await stack.finishedThread(scene.id)).join('\n');
    expect(thread.replaceAll('\n', ' ')).toMatch(/@ana.*flash-interrupted.*\/dpu resume \d+/);
    await resume(scene);
    await expectProvisioned(scene, 2);
  });

  it.concurrent('a link to the host that is lost for minutes is waited for; the push goes on by itself', async () => {
    const scene = await push('as9');

    await stack.rack.unplug('as9');
    await eventually(
      'the loss of the link to be shown',
      async () => {
        const progress = await stack.records.stores.progress.get(scene.id, 'as9');
        return progress?.text.includes('does not answer; the push to as9-dpu0 goes on there') === true || undefined;
      },
      20_000,
      async () => stack.records.describe(scene.id),
    );
    await stack.rack.clearFault('link-lost', 'as9');

    await expectProvisioned(scene, 1);
    const failed = (await stack.records.journal(scene.id)).filter(({ event }) => event.type === 'step-failed');
    expect(failed).toEqual([]);
  });
});
