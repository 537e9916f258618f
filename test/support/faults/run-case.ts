import { expect } from 'vitest';
import type { Run } from '../../../src/domain/run.ts';
import { faultScope } from '../../../src/lab/rack/faults.ts';
import type { World } from '../engine-world.ts';
import type { CarriedOut } from './carry-out.ts';
import { carryOut, givenBack, resumed } from './carry-out.ts';
import type { End, FaultCase, Seen } from './case.ts';
import { faultCard, faultHost } from './case.ts';
import { commands } from './commands.ts';
import { deviceStateTexts } from './device-state-texts.ts';
import { freshWorld, setUpWorld } from './worlds.ts';

type Overcome = Extract<End, { kind: 'overcome' }>;
type Stop = Extract<End, { kind: 'stop' }>;

/** Has one fault strike, and sees that all of it is as it must be: outcome, code, what is said, and how it goes on. */
export async function runCase(one: FaultCase): Promise<Seen> {
  const world = one.card === 'fresh' ? freshWorld() : await setUpWorld();
  for (const command of one.given?.commands ?? []) {
    const { run } = await carryOut(world, command);
    expect([command, run.state]).toEqual([command, 'done']);
  }
  one.given?.act?.(world);
  let struck = false;
  const act = (): void => {
    struck = true;
    const target = targetOf(one);
    world.rack.injectFault(one.fault, { target, ...(one.uses !== undefined && { uses: one.uses }) });
  };

  const seen = await carryOut(world, one.command, { when: one.when ?? 'before', act });

  expect(struck, 'the moment has come').toBe(true);
  return one.end.kind === 'overcome'
    ? expectOvercome(world, one, one.end, seen)
    : expectStop(world, one, one.end, seen);
}

function targetOf(one: FaultCase): string {
  return faultScope(one.fault) === 'card' || one.onCard === true ? faultCard : faultHost;
}

async function expectOvercome(world: World, one: FaultCase, end: Overcome, seen: CarriedOut): Promise<Seen> {
  expect(seen.run.failure).toBeUndefined();
  expect(seen.run.state).toBe(end.state ?? 'done');
  expect(await world.stores.holds.get(faultHost)).toBeUndefined();
  if (!isLook(one)) expect(oncesLeft(world, one)).toBe(0);
  const line = end.says && seen.lines.find((text) => end.says?.test(text));
  if (end.says) expect(line ?? seen.lines.join('\n')).toMatch(end.says);
  end.proof?.(world);
  const sees = line ?? 'Nothing of it.';
  const card = isLook(one) ? 'not touched' : 'as wanted';
  return { sees, card, next: 'Nothing.', end: `The run is ${seen.run.state}.` };
}

function isLook({ command }: FaultCase): boolean {
  return commands[command].look !== undefined;
}

/** A fault that strikes a number of times has to have done so: else nothing was overcome. */
function oncesLeft(world: World, { fault }: FaultCase): number {
  const active = world.rack.faults().find(({ name }) => name === fault)?.active ?? [];
  return active.filter(({ usesLeft }) => usesLeft !== null).length;
}

async function expectStop(world: World, one: FaultCase, end: Stop, { run, lines }: CarriedOut): Promise<Seen> {
  const { failure } = run;
  expect([run.state, failure?.code, failure?.deviceState]).toEqual([end.state, end.code, end.card]);
  if (failure === undefined) throw new Error('a stop has a failure');
  expect(failure.next).toMatch(end.next);
  const thread = lines.join('\n');
  expect(thread).toContain(`\`${failure.code}\``);
  expect(thread).toContain(`State: ${deviceStateTexts[end.card]}`);
  expect(lines.filter((line) => line.startsWith('Next: ')).join('\n')).toMatch(end.next);
  world.rack.clearFault(one.fault);
  end.cure.act(world);
  const last = end.goesOn === 'resume' ? await expectResumed(world, one, run) : await expectCommands(world, end.goesOn);
  const sees = `${failure.what} ${failure.why}`;
  return { sees, code: failure.code, card: failure.deviceState, next: failure.next, end: `${end.cure.text} ${last}` };
}

async function expectResumed(world: World, one: FaultCase, { id }: Run): Promise<string> {
  const again = await resumed(world, one.command, id);
  expect(again?.run.failure).toBeUndefined();
  expect(['done', 'satisfied']).toContain(again?.run.state);
  return '`/dpu resume` finishes it.';
}

async function expectCommands(world: World, commands: Exclude<Stop['goesOn'], 'resume'>): Promise<string> {
  for (const command of commands) {
    await givenBack(world);
    const { run } = await carryOut(world, command);
    expect([command, run.failure]).toEqual([command, undefined]);
    expect(['done', 'satisfied']).toContain(run.state);
  }
  const names = commands.map((command) => `\`${command}\``);
  return `${names.join(', then ')} finishes it.`;
}
