import type { ConsoleScreen } from '../../../src/domain/arm-ports.ts';
import type { BmcSession, CardRef, CommandResult, HostReader, HostSession } from '../../../src/domain/device-ports.ts';
import { DpuEntry, Profile } from '../../../src/domain/inventory.ts';
import type { LookContext, LookPiece } from '../../../src/domain/look.ts';
import type { ObserveContext } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { sliceFor } from '../../contract/transport/support/slices.ts';
import { fixture } from '../../support/fixture.ts';

type Answer = string | { readonly stdout?: string; readonly stderr?: string; readonly exitCode?: number };
/** The first pattern that is in the words of a command answers it; commands without an answer are not there (127). */
export type Answers = readonly (readonly [pattern: RegExp, answer: Answer | (() => Answer)])[];

/** What a look reported, before anybody made a file of it. */
export type Reported = Omit<LookPiece, 'file'> & { readonly text?: string };

export interface LookWorld {
  readonly context: LookContext;
  readonly reported: Reported[];
  readonly signs: string[];
  /** Commands that were run, host and Arm. */
  readonly commands: string[];
  /** What was held alone, in order. */
  readonly alone: string[];
  readonly typed: string[];
  readonly opened: string[];
  closed: number;
  readonly cancel: AbortController;
  nowMs: number;
}

export interface LookWish {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly host?: Answers;
  /** `undefined`: nobody can log in. */
  readonly arm?: Answers;
  readonly bmc?: Readonly<Record<string, unknown>>;
  readonly dpus?: readonly object[];
  /** What the console shows at each look, one after the other; the last one stays. */
  readonly screens?: readonly ConsoleScreen[];
  readonly onScreen?: (look: number, world: LookWorld) => void;
}

export const oneCard = [/lspci/, fixture('lspci/one-b3240.txt')] as const;

/** A host with its cards behind plain maps, and a clock that moves only when somebody waits. */
export function createLookWorld(wish: LookWish): LookWorld {
  const world = {
    reported: [],
    signs: [],
    commands: [],
    alone: [],
    typed: [],
    opened: [],
    closed: 0,
    cancel: new AbortController(),
    nowMs: 1_000_000,
  } as unknown as LookWorld;
  const slice = { ...sliceFor({}), name: 'as7' };
  const entries = wish.dpus ?? [{ name: 'as7-dpu0', bmc: { address: '10.0.0.2' } }];
  const cards: CardRef[] = entries.map((entry) => ({ slice, dpu: DpuEntry.parse(entry) }));
  return Object.assign(world, { context: contextOf(world, wish, cards) });
}

function contextOf(world: LookWorld, wish: LookWish, cards: readonly CardRef[]): LookContext {
  const { signal } = world.cancel;
  const clock = {
    nowMs: () => world.nowMs,
    poll: (ms: number) => {
      world.nowMs += ms;
      return signal.aborted ? Promise.reject(new Error('cancelled')) : Promise.resolve();
    },
    deadlineMs: (ms: number) => ms,
    stepLimitMs: (ms: number) => ms,
    wallMs: (ms: number) => ms,
  };
  return {
    runId: 418,
    slice: cards[0]?.slice as LookContext['slice'],
    cards,
    options: wish.options ?? {},
    facts: { get: () => Promise.resolve(undefined), merge: () => Promise.resolve() },
    console: (_card, device) => Promise.resolve(consoleOf(world, wish, device)),
    clock,
    signal,
    of: (card) => observeOf(world, wish, card, clock),
    heldBy: () => Promise.resolve(undefined),
    progress: ({ text, lastLine }) => Promise.resolve(void world.signs.push([text, lastLine ?? ''].join('|'))),
    report: (piece) => Promise.resolve(void world.reported.push(piece)),
    alone: (thing, work) => {
      world.alone.push(thing);
      return work(signal);
    },
  };
}

function consoleOf(world: LookWorld, wish: LookWish, device: string): Awaited<ReturnType<LookContext['console']>> {
  world.opened.push(device);
  let looks = 0;
  return {
    send: (line) => Promise.resolve(void world.typed.push(String(line))),
    expect: () => Promise.reject(new Error('a look waits for no answer')),
    screen: () => {
      const { screens = [], onScreen } = wish;
      const screen = screens[Math.min(looks, screens.length - 1)] ?? { lines: [], receivedBytes: 0 };
      onScreen?.(looks, world);
      looks += 1;
      return Promise.resolve(screen);
    },
    close: () => {
      world.closed += 1;
      return Promise.resolve();
    },
  };
}

function observeOf(world: LookWorld, wish: LookWish, card: CardRef, clock: LookContext['clock']): ObserveContext {
  const target = card.dpu.name;
  const refused = { state: 'unreachable' as const, failure: errors.armUnpinned({ target }).failure };
  return {
    runId: 418,
    slice: card.slice,
    card,
    dpu: card.dpu,
    profile: Profile.parse({ arm: { key: 'arm-key' } }),
    cards: [card],
    host: readerOf(world, 'as7', wish.host ?? []),
    bmc: {
      fingerprint: () => Promise.resolve('f'.repeat(64)),
      login: () => {
        if (wish.bmc === undefined)
          return Promise.reject(errors.bmcUnreachable({ target, address: '10.0.0.2', cause: new Error('refused') }));
        return Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session: bmcOf(target, wish.bmc) });
      },
    },
    arm: {
      publicKey: () => Promise.reject(new Error('not asked for')),
      login: () =>
        Promise.resolve(
          wish.arm === undefined
            ? refused
            : { state: 'in', session: readerOf(world, `Arm of ${target}`, wish.arm) as HostSession },
        ),
    },
    hostBmc: { open: () => Promise.resolve(undefined) },
    pins: { get: () => Promise.resolve(undefined) },
    records: { get: () => Promise.resolve(undefined) },
    checkCredential: () => Promise.resolve(),
    clock,
    signal: world.cancel.signal,
    actions: [],
  } as unknown as ObserveContext;
}

function readerOf(world: LookWorld, name: string, answers: Answers): HostReader {
  return {
    name,
    read: ({ argv }) => {
      const line = argv.join(' ');
      world.commands.push(`${name}: ${line}`);
      const found = answers.find(([pattern]) => pattern.test(line))?.[1];
      const answer = typeof found === 'function' ? found() : found;
      return Promise.resolve(resultOf(answer ?? { exitCode: 127, stderr: 'not found' }));
    },
  };
}

function resultOf(answer: Answer): CommandResult {
  const parts = typeof answer === 'string' ? { stdout: answer } : answer;
  return { stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...parts };
}

function bmcOf(target: string, resources: Readonly<Record<string, unknown>>): BmcSession {
  const get: BmcSession['get'] = ({ path }) => {
    const body = resources[path];
    if (body !== undefined) return Promise.resolve(body);
    return Promise.reject(errors.redfishError({ target, request: `GET ${path}`, status: 404, message: 'not found' }));
  };
  return { target, get } as BmcSession;
}

/** Warnings of rows and of the piece. */
export function warningsOf(piece: Reported | undefined): readonly string[] {
  const ofRows = piece?.rows?.flatMap((row) => row.warning ?? []) ?? [];
  return [...(piece?.warnings ?? []), ...ofRows];
}
