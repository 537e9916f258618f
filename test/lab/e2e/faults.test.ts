import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run, RunState } from '../../../src/domain/run.ts';
import { deviceStateTexts } from '../../support/faults/device-state-texts.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';

/**
 * When a fault is switched on: after an earlier run was done, before the line is typed, between plan and approval, or once
 * the BMC has its password.
 */
type When = 'provisioned' | 'before' | 'planned' | 'password-set';

interface Case {
  readonly fault: string;
  readonly on: 'host' | 'card';
  readonly uses?: number;
  readonly when: When;
}

interface Overcome extends Case {
  /** Arm boots of the card at the end; 3 without a disturbance. */
  readonly boots: number;
}

interface Stopped extends Case {
  readonly state: RunState;
  readonly code: string;
  readonly deviceState: 'unchanged' | 'changed' | 'either';
  /** What the person is told to do. */
  readonly next: RegExp;
  /** Has the run begun to change the host, so that it keeps its hand on it? */
  readonly holds: boolean;
  /** The cause passes: it is taken away then, and the run resumed. */
  readonly passes?: true;
}

const overcome: readonly Overcome[] = [
  { fault: 'redfish-503', on: 'card', uses: 2, when: 'planned', boots: 3 },
  { fault: 'redfish-drop-reply', on: 'card', uses: 1, when: 'planned', boots: 3 },
  { fault: 'redfish-truncated', on: 'card', uses: 1, when: 'planned', boots: 3 },
  { fault: 'redfish-wrong-json', on: 'card', uses: 1, when: 'planned', boots: 3 },
  { fault: 'ssh-drop', on: 'host', uses: 1, when: 'before', boots: 3 },
  { fault: 'ssh-drop', on: 'host', uses: 1, when: 'planned', boots: 3 },
  { fault: 'secureboot-fields-missing', on: 'card', uses: 1, when: 'before', boots: 4 },
];

const stopped: readonly Stopped[] = [
  {
    fault: 'redfish-503',
    on: 'card',
    uses: 1000,
    when: 'planned',
    state: 'failed',
    code: 'redfish-busy',
    deviceState: 'unchanged',
    next: /try again|resume/i,
    holds: false,
    passes: true,
  },
  {
    fault: 'bmc-cert-changed',
    on: 'card',
    when: 'password-set',
    state: 'needs-human',
    code: 'bmc-cert-changed',
    // It strikes in the middle of the step that set the password, or right after it.
    deviceState: 'either',
    next: /Compare the certificate on the BMC itself/,
    holds: true,
    passes: true,
  },
  {
    // dpubot never had a password of this card: whoever set it up has to say so in a new run.
    fault: 'bmc-password-wrong',
    on: 'card',
    when: 'before',
    state: 'refused',
    code: 'card-set-up-by-hand',
    deviceState: 'unchanged',
    next: /credentials import-bmc.*--adopt/,
    holds: false,
  },
  {
    fault: 'secureboot-fields-missing',
    on: 'card',
    uses: 99,
    when: 'before',
    state: 'needs-human',
    code: 'secure-boot-not-reported',
    deviceState: 'changed',
    next: /Update the firmware.*\/dpu resume \d+/,
    holds: true,
  },
  {
    fault: 'secureboot-reverts',
    on: 'card',
    when: 'before',
    state: 'needs-human',
    code: 'verify-mismatch',
    deviceState: 'changed',
    next: /runbook.*\/dpu resume \d+/,
    holds: true,
  },
  {
    fault: 'serial-mismatch',
    on: 'card',
    when: 'before',
    state: 'needs-human',
    code: 'wrong-card',
    deviceState: 'changed',
    next: /Nothing more is written.*\/dpu resume \d+/,
    holds: true,
  },
  {
    fault: 'ssh-hostkey-changed',
    on: 'host',
    when: 'before',
    state: 'needs-human',
    code: 'ssh-host-key-changed',
    deviceState: 'unchanged',
    next: /security event/,
    holds: false,
    passes: true,
  },
  {
    fault: 'ssh-refuse',
    on: 'host',
    when: 'before',
    state: 'failed',
    code: 'ssh-unreachable',
    deviceState: 'unchanged',
    next: /Check power and network/,
    holds: false,
    passes: true,
  },
  {
    fault: 'sudo-password',
    on: 'host',
    when: 'before',
    state: 'refused',
    code: 'sudo-refused',
    deviceState: 'unchanged',
    next: /sudoers sample/,
    holds: false,
  },
  {
    fault: 'pcie-downgraded',
    on: 'card',
    when: 'before',
    state: 'refused',
    code: 'pcie-link-slow',
    deviceState: 'unchanged',
    next: /PCIe 5\.0 x16|minPcieLink/,
    holds: false,
  },
  {
    fault: 'controller-sku',
    on: 'card',
    when: 'before',
    state: 'refused',
    code: 'controller-sku',
    deviceState: 'unchanged',
    next: /networking DPU/,
    holds: false,
  },
  // The last one: its first run takes a while, in which those above go on.
  {
    fault: 'bmc-password-wrong',
    on: 'card',
    when: 'provisioned',
    state: 'needs-human',
    code: 'bmc-login-refused',
    deviceState: 'unchanged',
    next: /dpubot credentials import/,
    holds: false,
  },
];

const cases: readonly Case[] = [...overcome, ...stopped];

let stack: Stack;
/** Every case has a host and a run of its own; they run at the same time. */
let runs: readonly number[] = [];
/** Those that were resumed. */
const resumed = new Map<Stopped, Promise<void>>();

beforeAll(async () => {
  // Deadlines of steps shrink with the factor, and so many runs at a time need longer for the same work.
  stack = await Stack.start({ hosts: cases.length, timeFactor: 60 });
  const numbers: number[] = [];
  for (const one of cases) numbers.push(await begin(one));
  runs = numbers;
}, 120_000);
afterAll(async () => stack.stop());

function hostOf(one: Case): string {
  return `as${cases.indexOf(one) + 7}`;
}

/** Afterwards the BMC of the card knows no session of dpubot any more. */
async function provisionAndForget(host: string): Promise<void> {
  await stack.provision(host);
  await stack.rack.powerCycle(host);
  await eventually(`${host} to be up`, async () => ((await stack.rack.isHostUp(host)) ? true : undefined), 20_000);
}

async function begin(one: Case): Promise<number> {
  const { fault, on, uses, when } = one;
  const host = hostOf(one);
  const strike = async (): Promise<void> => stack.rack.fault(fault, on === 'host' ? host : `${host}-dpu0`, uses);
  if (when === 'provisioned') await provisionAndForget(host);
  if (when === 'before' || when === 'provisioned') await strike();
  const id = await stack.order('ana', `/dpu provision ${host}`);
  const run = await stack.records.waitForRun(id, ['awaiting-approval', 'failed', 'refused', 'needs-human']);
  if (run.state !== 'awaiting-approval') return id;
  if (when === 'planned') await strike();
  await stack.approve(id);
  if (when === 'password-set') {
    await stack.records.waitForEvent(id, host, (event) => event.type === 'done' && event.action === 'patch-password');
    await strike();
  }
  return id;
}

async function runOf(one: Case, states: readonly RunState[]): Promise<Run> {
  return stack.records.waitForRun(runs[cases.indexOf(one)] ?? 0, states);
}

/** All go on at the same time, while the others are looked at; one that stopped in its plan is approved now. */
async function cureAndResume(one: Stopped): Promise<void> {
  const host = hostOf(one);
  const id = runs[cases.indexOf(one)] ?? 0;
  await stack.rack.clearFault(one.fault, one.on === 'host' ? host : `${host}-dpu0`);
  await stack.people.say('ana', `/dpu resume ${id}`);
  const { state } = await stack.records.waitForRun(id, ['awaiting-approval', 'done']);
  if (state === 'awaiting-approval') await stack.approve(id);
}

describe('trouble that passes', () => {
  it.each(overcome)('$fault ($when, uses $uses) is overcome, and the card ends as wanted', async (one) => {
    await runOf(one, ['done']);

    const card = await stack.rack.card(`${hostOf(one)}-dpu0`);
    expect(card.secureBoot).toEqual({ enable: false, currentBoot: false });
    expect(await stack.filedPasswords(card.name)).toEqual(new Map([['current', card.bmc.rootPassword]]));
    expect(card.arm.bootCount).toBe(one.boots);
    expect(await stack.records.stores.holds.get(hostOf(one))).toBeUndefined();
  });
});

describe('trouble that stays', () => {
  it.each(stopped)(
    '$fault ($when) ends as $state with $code, says what state the card is in and what to do',
    async (one) => {
      const run = await runOf(one, [one.state]);

      const host = hostOf(one);
      const failure = run.units[host]?.failure;
      expect(failure?.code).toBe(one.code);
      const states = one.deviceState === 'either' ? ['changed', 'unchanged'] : [one.deviceState];
      expect(states).toContain(failure?.deviceState);
      expect(failure?.next).toMatch(one.next);
      expect((await stack.records.stores.holds.get(host))?.runId).toBe(one.holds ? run.id : undefined);
      expect(await stack.records.stores.leases.holder(host)).toBeUndefined();
      const posts = await stack.records.wantedPosts(run.id);
      const told = posts.map((post) => stack.people.textOf(post.message)).join('\n');
      expect(told).toContain(one.code);
      expect(told).toContain(deviceStateTexts[failure?.deviceState ?? 'unknown']);
      expect(told.replaceAll('\n', ' ')).toMatch(one.next);
      if (one.passes === true) resumed.set(one, cureAndResume(one));
    },
  );

  it.each(stopped.filter(({ passes }) => passes === true))(
    '$fault ($when): once the cause is gone, a resume finishes the run',
    async (one) => {
      await resumed.get(one);

      await runOf(one, ['done']);
      const card = await stack.rack.card(`${hostOf(one)}-dpu0`);
      expect(card.secureBoot).toEqual({ enable: false, currentBoot: false });
      expect(await stack.filedPasswords(card.name)).toEqual(new Map([['current', card.bmc.rootPassword]]));
      expect(await stack.records.stores.holds.get(hostOf(one))).toBeUndefined();
    },
  );

  it('never costs more wrong logins than a lock-out window allows', async () => {
    for (const { dpus } of stack.lab.hosts)
      for (const { name } of dpus) expect((await stack.rack.card(name)).bmc.failedLogins, name).toBeLessThanOrEqual(2);
  });
});
