import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ChatEvent, VisibleMessage } from '../../src/lab/chat/types.ts';
import { connect, type RedisSpace } from '../../src/store/redis.ts';
import { onSignal } from '../lib/children.mjs';
import type { Action, DemoArguments } from '../lib/demo-arguments.mjs';
import { Problem, say, seconds } from '../lib/print.mjs';
import { endLines, endText, followLine, isGood, isTrouble, Watch, type LineEnd, type People } from './follow-run.ts';
import { clearStage, logTails, makeFolder, setStage, timeFactor, type Stage } from './stage.ts';
import { Story } from './story.ts';
import { Transcript } from './transcript.ts';

const people: People = { requester: 'ana', approver: 'ben', channel: 'dpu-lab' };
const silent = { warn: () => undefined };

/** What one demo has in its hands while it acts. */
interface Demo {
  readonly stage: Stage;
  readonly space: RedisSpace;
  readonly transcript: Transcript;
  readonly deadlineMs: number;
  /** Ids of the files and pictures seen in the channel. */
  readonly files: Set<string>;
  watch: Watch;
}

/**
 * Runs the demo until it is told to end. Resolves to the exit code; everything it started has ended by then.
 *
 * @param redis What to use: the address of a running Redis, or the path of a server program.
 */
export async function runDemo(args: DemoArguments, redis: { url: string } | { program: string }): Promise<number> {
  const folder = makeFolder();
  const following = new AbortController();
  const cleanUp = async (): Promise<void> => {
    following.abort();
    await clearStage(folder);
  };
  onSignal(async (signal) => {
    say(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: ending everything that was started ...`);
    await cleanUp();
  });
  try {
    return await act(args, folder, redis, following.signal);
  } catch (error) {
    // A signal ends the children, and what waits for them fails: the signal's own clean-up ends this process.
    if (following.signal.aborted) await new Promise(() => undefined);
    process.stderr.write(`${logTails(folder)}\n`);
    throw error;
  } finally {
    await cleanUp();
  }
}

async function act(
  args: DemoArguments,
  folder: string,
  redis: { url: string } | { program: string },
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  say('Starting Redis, the pretend rack, the pretend Slack, bot and worker ...');
  const stage = await setStage(folder, redis);
  say(`ready in ${seconds(started)}. SIMULATED: pretend devices, living ${timeFactor} times faster than real ones.`);
  say(`The pretend Slack: ${stage.pageUrl}`);

  const space = await connect(stage.redisUrl, 'worker', { logger: silent });
  try {
    const demo = await openDemo(stage, space, args.timeoutMs, signal);
    const acted = performance.now();
    const ends = await actAll(args.actions, demo);
    if (args.json !== undefined) await writeRuns(args.json, space);
    if (args.artifacts !== undefined) await keepFiles(args.artifacts, demo);
    const exitCode = ends.every(isGood) ? 0 : 1;
    if (ends.some(isTrouble)) process.stderr.write(`${logTails(folder)}\n`);
    const cards = ends.flatMap(endLines);
    if (cards.length > 0) say(`\n${cards.join('\n')}`);
    if (ends.length > 0)
      say(`\nended after ${seconds(acted)}: ${ends.map(endText).join('; ')}. SIMULATED. Exit code ${exitCode}.`);
    if (args.exit) return exitCode;
    say(`The page stays at ${stage.pageUrl} until Ctrl-C.`);
    return await untilSomethingEnds(stage);
  } finally {
    await space.close();
  }
}

async function openDemo(stage: Stage, space: RedisSpace, timeoutMs: number, signal: AbortSignal): Promise<Demo> {
  const { users, channels } = await stage.chat.info();
  const names = {
    users: new Map(users.map((user) => [user.id, user.name])),
    channels: new Map(channels.map((channel) => [channel.id, channel.name])),
  };
  const demo: Demo = {
    stage,
    space,
    transcript: new Transcript(names, say),
    deadlineMs: Date.now() + timeoutMs,
    files: new Set(),
    watch: new Watch(),
  };
  const onEnd = (error: unknown): void => {
    if (!signal.aborted) process.stderr.write(`The events of the pretend Slack ended: ${String(error)}\n`);
  };
  const channel = channels.find((one) => one.name === people.channel)?.id;
  // The approver's stream is only for what nobody else sees: refusals of a press.
  const see = (person: string) => (event: ChatEvent) => {
    if (!('channel' in event) || event.channel !== channel) return;
    if (person === people.requester || event.type.startsWith('ephemeral/')) {
      demo.watch.see(person, event);
      show(demo, event);
    }
  };
  for (const person of [people.requester, people.approver])
    await stage.chat.follow(person, { onEvent: see(person), onEnd }, signal);
  return demo;
}

function show(demo: Demo, event: ChatEvent): void {
  if (!('message' in event)) return;
  for (const id of filesOf(event.message)) demo.files.add(id);
  if (event.type === 'message/new' || event.type === 'ephemeral/new') demo.transcript.posted(event.message);
  else demo.transcript.edited(event.message);
}

/** Attached files, and pictures that stand in the message itself. */
function filesOf({ files = [], blocks = [] }: VisibleMessage): readonly string[] {
  const pictures = blocks.flatMap((block) =>
    block.type === 'image' && 'slack_file' in block && 'id' in block.slack_file ? [block.slack_file.id] : [],
  );
  return [...files.map(({ id }) => id), ...pictures].filter((id) => id !== undefined);
}

async function actAll(actions: readonly Action[], demo: Demo): Promise<LineEnd[]> {
  const ends: LineEnd[] = [];
  for (const action of actions) {
    if (action.kind !== 'say') {
      await switchFault(action, demo);
      continue;
    }
    const end = await sayLine(action, demo);
    ends.push(end);
    if (end.kind === 'timeout') break;
  }
  return ends;
}

async function sayLine(action: Extract<Action, { kind: 'say' }>, demo: Demo): Promise<LineEnd> {
  demo.watch = new Watch();
  say('');
  demo.transcript.typed(people.requester, action.line);
  return followLine(action, {
    chat: demo.stage.chat,
    story: new Story(demo.space),
    people,
    watch: demo.watch,
    onPress: (label) => demo.transcript.typed(people.approver, `presses [${label}]`),
    deadlineMs: demo.deadlineMs,
  });
}

async function switchFault(action: Exclude<Action, { kind: 'say' }>, demo: Demo): Promise<void> {
  const { kind, ...fault } = action;
  const isSet = kind === 'fault';
  const path = isSet ? '/faults' : `/faults/${encodeURIComponent(fault.name)}`;
  const response = await fetch(`${demo.stage.controlUrl}${path}`, {
    method: isSet ? 'POST' : 'DELETE',
    signal: AbortSignal.timeout(5_000),
    headers: { connection: 'close', 'content-type': 'application/json' },
    ...(isSet && { body: JSON.stringify(fault) }),
  });
  const answer = (await response.json()) as { readonly error?: string };
  if (!response.ok) throw new Problem(answer.error ?? `The lab refused the fault ${fault.name}.`);
  demo.transcript.note(isSet ? `fault ${fault.name} is on` : `fault ${fault.name} is off`);
}

async function writeRuns(file: string, space: RedisSpace): Promise<void> {
  const story = new Story(space);
  const runs = (await story.runs.recent(100)).toReversed();
  const texts = await Promise.all(runs.map((run) => story.json(run)));
  writeFileSync(file, `${JSON.stringify(texts, undefined, 2)}\n`);
  say(`Wrote ${runs.length} run${runs.length === 1 ? '' : 's'} to ${file}.`);
}

async function keepFiles(directory: string, demo: Demo): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const id of demo.files) {
    const { name, bytes } = await demo.stage.chat.file(people.requester, id);
    writeFileSync(join(directory, basename(name)), bytes);
  }
  say(`Kept ${demo.files.size} file${demo.files.size === 1 ? '' : 's'} in ${directory}.`);
}

/** Embedded mode: goes on until a signal ends the script, or a process of the demo ends by itself. */
async function untilSomethingEnds(stage: Stage): Promise<number> {
  const [name, code] = await Promise.race(
    stage.children.map(async (child) => [child.name, await child.exited] as const),
  );
  throw new Problem(`${name} ended by itself (exit code ${code}).`);
}
