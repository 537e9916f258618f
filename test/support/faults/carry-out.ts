import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import { requestResume } from '../../../src/domain/policy.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { EngineDeps } from '../../../src/engine/deps.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import type { World } from '../engine-world.ts';
import { order, startEngine, workUntilStopped } from '../engine-world.ts';
import { ana } from '../make-run.ts';
import type { When } from './case.ts';
import { faultHost } from './case.ts';
import type { CommandName } from './commands.ts';
import { commands } from './commands.ts';
import { createWireBmcs } from './wire-bmc.ts';
import { createWireArms, createWireHosts } from './wire-ssh.ts';

/** So long that no lease ends while the clock of the pretend devices runs. */
const leaseMs = 36_000_000;

/** A run, and all that a person could read of it, a line each. */
export interface CarriedOut {
  readonly run: Run;
  readonly lines: readonly string[];
}

/** Something that happens at one moment of a run. */
export interface Strike {
  readonly when: When;
  readonly act: () => void;
}

interface Engine {
  readonly deps: EngineDeps;
  /** What stood in the card of the run as a sign of life. */
  readonly signs: string[];
}

function startFaultEngine(world: World, name: CommandName, strike?: Strike): Engine {
  const { recipe, look } = commands[name];
  const deps = startEngine(world, { leaseMs, ...(recipe && { recipe }), ...(look && { look }) });
  const signs: string[] = [];
  const striker = createStriker(strike);
  const devices = {
    ...deps.devices,
    hosts: createWireHosts(world),
    arm: createWireArms(world),
    bmc: createWireBmcs(world),
  };
  const progress: EngineDeps['progress'] = {
    ...deps.progress,
    set: async (runId, unit, sign) => {
      signs.push(sign.text);
      striker({ sign: sign.text });
      await deps.progress.set(runId, unit, sign);
    },
  };
  return { deps: { ...deps, devices, progress, journal: striking(deps, striker) }, signs };
}

/** Something that may be the moment of a fault. */
type Moment = JournalEvent | { readonly sign: string };

/** Lets the fault strike once, at its moment. */
function createStriker(strike: Strike | undefined): (moment: Moment) => void {
  let struck = false;
  return (moment) => {
    if (strike === undefined || struck || !isMoment(strike.when, moment)) return;
    struck = true;
    strike.act();
  };
}

/** It strikes right after the journal has the event. */
function striking({ journal }: EngineDeps, striker: (moment: Moment) => void): EngineDeps['journal'] {
  return {
    ...journal,
    append: async (runId, unit, event) => {
      const entry = await journal.append(runId, unit, event);
      striker(event);
      return entry;
    },
  };
}

function isMoment(when: When, moment: Moment): boolean {
  if (typeof when === 'string') return false;
  if ('sign' in moment) return 'sign' in when && moment.sign.includes(when.sign);
  if ('step' in when) return moment.type === 'step-started' && moment.step === when.step;
  if ('intent' in when) return moment.type === 'intent' && moment.action === when.intent;
  return 'done' in when && moment.type === 'done' && moment.action === when.done;
}

/** Gives the command; Ben approves when asked. */
export async function carryOut(world: World, name: CommandName, strike?: Strike): Promise<CarriedOut> {
  if (strike?.when === 'before') strike.act();
  const engine = startFaultEngine(world, name, strike);
  const { id } = await order(world, newRun(world, name));
  if (strike?.when === 'approved') {
    const { state } = await workUntilStopped(world, engine.deps, id, 'wait');
    if (state === 'awaiting-approval') strike.act();
  }
  const run = await workUntilStopped(world, engine.deps, id);
  return { run, lines: await readable(world, run, engine.signs) };
}

/** Ana's `/dpu resume`. Undefined where that is refused. */
export async function resumed(world: World, name: CommandName, id: number): Promise<CarriedOut | undefined> {
  const engine = startFaultEngine(world, name);
  const { changed } = await world.stores.runs.update(id, (run) => requestResume(run, ana));
  if (!changed) return undefined;
  await world.stores.queue.addAdvance({ runId: id });
  const run = await workUntilStopped(world, engine.deps, id);
  return { run, lines: await readable(world, run, engine.signs) };
}

/** Ana's `/dpu cancel`: a run that has stopped gives its host back. */
export async function givenBack(world: World): Promise<void> {
  await world.stores.holds.clear(faultHost);
}

function newRun(world: World, name: CommandName): Parameters<typeof order>[1] {
  const { recipe, look, params, image } = commands[name];
  const what = recipe ?? look;
  if (what === undefined) throw new Error(`${name} is no command`);
  const slices = Object.fromEntries(
    Object.keys(world.inventory.hosts).map((host) => [host, sliceOf(world.inventory, host, { imageAsked: image })]),
  );
  return {
    recipe: what.name,
    recipeVersion: what.version,
    params: { ...params },
    text: name.replace('/dpu ', ''),
    slices,
    sliceHashes: Object.fromEntries(Object.entries(slices).map(([host, slice]) => [host, sliceHash(slice)])),
  };
}

async function readable({ stores }: World, run: Run, signs: readonly string[]): Promise<readonly string[]> {
  const hash = run.units[faultHost]?.planHash;
  const plan = hash === undefined ? undefined : await stores.runs.plan(run.id, faultHost, hash);
  const entries = [
    ...(await stores.journal.read(run.id, RUN_STREAM)),
    ...(await stores.journal.read(run.id, faultHost)),
  ];
  const posts = postsOf(run, plan === undefined ? [] : [plan], entries);
  const thread = posts.flatMap(({ message }) => plainText(message).split('\n'));
  return [...thread, ...signs];
}
