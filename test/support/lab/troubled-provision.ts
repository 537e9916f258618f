import { expect } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { DeviceState } from '../../../src/domain/outcome.ts';
import { deviceStateTexts } from '../faults/device-state-texts.ts';
import { eventually } from './eventually.ts';
import type { Stack } from './stack.ts';

/** One whole provision of a host with one factory-fresh card. */
export interface Scene {
  readonly stack: Stack;
  readonly id: number;
  readonly host: string;
  readonly card: string;
}

/** What a run that stopped tells. */
export interface Stop {
  readonly state: 'failed' | 'needs-human';
  readonly code: string;
  readonly deviceState: DeviceState;
  /** Which state the card is in, and what to do. */
  readonly next: RegExp;
}

/** A calm whole provision takes about 13 s alone; several at a time share two cores. */
const runLimitMs = 90_000;

export const isIntent = (action: string) => (event: JournalEvent) => event.type === 'intent' && event.action === action;

/** Types the line as ana, and waits for the plan. */
export async function order(stack: Stack, host: string): Promise<Scene> {
  const id = await stack.order('ana', `/dpu provision ${host}`);
  await stack.records.waitForRun(id, ['awaiting-approval'], runLimitMs);
  return { stack, id, host, card: `${host}-dpu0` };
}

/** Resolves while bfb-install runs for the card: right after it was started, so the image is on its way. */
export async function pushing({ stack, id, host, card }: Scene): Promise<void> {
  await stack.records.waitForEvent(id, host, isIntent('push-1'), runLimitMs);
  await eventually(
    `a push to ${card}`,
    async () => ((await stack.rack.card(card)).pushes.running > 0 ? true : undefined),
    10_000,
  );
}

/** The run stops as it should, keeps its hand on the host, and ana reads code, state of the card and what to do. */
export async function expectStop({ stack, id, host }: Scene, stop: Stop): Promise<void> {
  const run = await stack.records.waitForRun(id, [stop.state], runLimitMs);
  const failure = run.units[host]?.failure;
  expect(failure).toMatchObject({ code: stop.code, deviceState: stop.deviceState });
  expect(failure?.next).toMatch(stop.next);
  expect((await stack.records.stores.holds.get(host))?.runId).toBe(id);
  const told = (await readable(stack, run)).replaceAll('\n', ' ');
  expect(told).toContain(stop.code);
  expect(told).toContain(deviceStateTexts[stop.deviceState]);
  expect(told).toMatch(stop.next);
}

/** What ana finds in the thread of a run; the outbox posts it within the rate limits of Slack. */
async function readable(stack: Stack, { id }: Run): Promise<string> {
  const posts = await stack.records.wantedPosts(id);
  return posts.map((post) => stack.people.textOf(post.message)).join('\n');
}

export async function resume({ stack, id }: Scene): Promise<void> {
  await stack.people.say('ana', `/dpu resume ${id}`);
}

/** Everything of the profile is there, nothing was pushed twice at a time, and nothing is left behind. */
export async function expectProvisioned({ stack, id, host, card }: Scene, pushes: number): Promise<void> {
  await stack.records.waitForRun(id, ['done'], runLimitMs);
  const now = await stack.rack.card(card);
  const { serial } = stack.dpu(card);
  expect(now).toMatchObject({
    pushes: { begun: pushes, running: 0, most: 1 },
    secureBoot: { enable: false, currentBoot: false },
    armOs: { hostname: serial, driver: expect.stringContaining('24.10-2.1.8') },
    nicFirmware: { running: '32.43.2566', staged: null },
  });
  expect(now.armOs.image).toMatch(/^bf-bundle-2\.9\.2-32/);
  expect(await stack.filedPasswords(card)).toEqual(new Map([['current', now.bmc.rootPassword]]));
  expect(await stack.records.stores.holds.get(host)).toBeUndefined();
  const approvals = (await stack.records.journal(id)).filter(({ event }) => event.type === 'approval-requested');
  expect(approvals).toHaveLength(1);
}
