import type { DetachedState } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readStagedFile, type StagedFile, stageSubject } from '../facts/staged-file.ts';
import { jobFolder } from './remote.ts';
import { lookUntilSeen } from './stage-contact.ts';
import { curlArgv, judgeDownload } from './stage-curl.ts';
import { dropPart, mismatch, spaceMissing } from './stage-place.ts';
import { type NamedImage, sourceOf, transferSign } from './stage-text.ts';

const pollMs = 2_000;
const retriesAtMost = 3;
const retryAfterMs = 10_000;
const jobsFolder = '/var/lib/dpubot/jobs';

type Ended = Exclude<DetachedState, { readonly kind: 'running' }>;

/**
 * Has the host fetch the image into its part, detached, so that it goes on without worker and link. A job that runs
 * already (also one of an earlier run) is followed instead: two writers would spoil the file.
 * Source: curl(1) 7.81 (Ubuntu 22.04).
 */
export async function download(context: ApplyContext, wanted: NamedImage, proxy: string | undefined): Promise<void> {
  const { image } = wanted;
  const from = sourceOf(image);
  for (let tries = 1; ; tries += 1) {
    const folder = (await runningJob(context, wanted)) ?? (await start(context, wanted, proxy));
    const state = await follow(context, wanted, folder);
    const seen = await look(context, wanted);
    const options = { timeoutMs: 30_000, signal: context.signal, asRoot: true };
    const log = state.kind === 'exited' ? (await readLog(context, folder, options)).text : '';
    const arrived = { partBytes: seen.partBytes ?? 0, totalBytes: image.bytes, freeBytes: seen.freeBytes };
    const end = judgeDownload(state, log, arrived);
    switch (end.kind) {
      case 'complete':
        return;
      case 'failed':
        throw errors.imageDownloadFailed({ host: context.host.name, image: wanted.name, from, problem: end.problem });
      case 'other-file':
        throw await mismatch(context, wanted, `${image.bytes} bytes`, `${arrived.partBytes} bytes`);
      case 'disk-full':
        throw spaceMissing(context, image.bytes - arrived.partBytes, seen.freeBytes);
      case 'anew':
        await dropPart(context, wanted, 'the server cannot go on with it');
        break;
      case 'broken':
        break;
    }
    if (tries > retriesAtMost) {
      const { partBytes: arrivedBytes, totalBytes } = arrived;
      const where = { host: context.host.name, image: wanted.name, from };
      throw errors.imageDownloadBroken({ ...where, tries, arrivedBytes, totalBytes, problem: end.problem });
    }
    const text = `the download of ${wanted.name} broke off (${end.problem}); going on`;
    await context.progress({ text: text.slice(0, 300), sinceMs: context.clock.nowMs() });
    await context.clock.poll(retryAfterMs, context.signal);
  }
}

function look(context: ApplyContext, wanted: NamedImage): Promise<StagedFile> {
  return lookUntilSeen(context, () => readStagedFile(context.host, wanted.image, context.signal));
}

function observe(context: ApplyContext, folder: string): Promise<DetachedState> {
  const options = { timeoutMs: 30_000, signal: context.signal, asRoot: true };
  return lookUntilSeen(context, () => context.host.observeDetached(folder, options));
}

function readLog(
  context: ApplyContext,
  folder: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly asRoot: boolean },
): Promise<{ readonly text: string }> {
  return lookUntilSeen(context, () => context.host.readDetachedLog(folder, 0, options));
}

async function runningJob(context: ApplyContext, wanted: NamedImage): Promise<string | undefined> {
  const { jobs } = await look(context, wanted);
  for (const job of jobs) {
    const folder = `${jobsFolder}/${job}`;
    if ((await observe(context, folder)).kind === 'running') return folder;
  }
  return undefined;
}

/** Starts curl in a fresh folder. When the reply is lost, the next look finds the job. */
async function start(context: ApplyContext, wanted: NamedImage, proxy: string | undefined): Promise<string> {
  const { runId } = context;
  const subject = stageSubject(wanted.image);
  const { jobs } = await look(context, wanted);
  const numbers = jobs.filter((job) => job.startsWith(`run${runId}-`)).map((job) => Number(job.split('-').at(-1)));
  const attempt = Math.max(0, ...numbers) + 1;
  const folder = jobFolder({ runId, step: 'stage-bfb', subject, attempt });
  const text = `have ${context.host.name} download ${wanted.name} from ${sourceOf(wanted.image)}`;
  await context.act({ name: `fetch-${subject}-${attempt}`, text }, async () => {
    const options = { timeoutMs: 30_000, signal: context.signal, asRoot: true };
    const argv = curlArgv(wanted, proxy);
    const state = await lookUntilSeen(context, () => context.host.startDetached(folder, argv, options));
    return { evidence: `${folder}: ${state.kind}`, value: undefined };
  });
  return folder;
}

/** Waits until the job has ended and tells how far the file is. */
async function follow(context: ApplyContext, wanted: NamedImage, folder: string): Promise<Ended> {
  const sinceMs = context.clock.nowMs();
  let fromBytes: number | undefined;
  for (;;) {
    const state = await observe(context, folder);
    if (state.kind !== 'running') return state;
    const { partBytes = 0 } = await look(context, wanted);
    fromBytes ??= partBytes;
    const sign = transferSign({
      verb: 'downloading',
      host: context.host.name,
      name: wanted.name,
      arrivedBytes: partBytes,
      fromBytes,
      totalBytes: wanted.image.bytes,
      elapsedMs: context.clock.nowMs() - sinceMs,
    });
    await context.progress({ ...sign, sinceMs });
    await context.clock.poll(pollMs, context.signal);
  }
}
