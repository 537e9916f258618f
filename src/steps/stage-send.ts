import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { partPath, readStagedFile, stageSubject } from '../facts/staged-file.ts';
import { isTransient, lookUntilSeen } from './stage-contact.ts';
import { spaceMissing } from './stage-place.ts';
import { type NamedImage, transferSign } from './stage-text.ts';

const retriesAtMost = 3;
const retryAfterMs = 10_000;
const longestMs = 5_000_000;

/** Sends the image from the worker into its part, going on with what is there; a link that breaks is tried again. */
export async function send(context: ApplyContext, wanted: NamedImage): Promise<void> {
  const { image } = wanted;
  for (let tries = 1; ; tries += 1) {
    const seen = await lookUntilSeen(context, () => readStagedFile(context.host, image, context.signal));
    const { partBytes: thereBytes = 0, freeBytes } = seen;
    if (freeBytes < image.bytes - thereBytes) throw spaceMissing(context, image.bytes - thereBytes, freeBytes);
    try {
      await sendFrom(context, wanted, thereBytes > image.bytes ? 0 : thereBytes);
      return;
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isTransient(error) || tries > retriesAtMost) throw error;
      const text = `${error.failure.what} ${error.failure.why}; going on`;
      await context.progress({ text: text.slice(0, 300), sinceMs: context.clock.nowMs() });
    }
    await context.clock.poll(retryAfterMs, context.signal);
  }
}

async function sendFrom(context: ApplyContext, { name, image }: NamedImage, fromByte: number): Promise<void> {
  if (image.file === undefined) throw errors.bug({ detail: `the image ${name} has neither url nor file` });
  const { file: localPath, bytes } = image;
  const sinceMs = context.clock.nowMs();
  let reports = Promise.resolve();
  let reportError: unknown;
  const onProgress = (arrivedBytes: number): void => {
    const elapsedMs = context.clock.nowMs() - sinceMs;
    const transfer = { verb: 'sending', host: context.host.name, name, arrivedBytes, totalBytes: bytes, elapsedMs };
    const sign = transferSign({ ...transfer, fromBytes: fromByte });
    reports = reports
      .then(() => context.progress({ ...sign, sinceMs }))
      .catch((error: unknown) => {
        reportError ??= error;
      });
  };
  const text = `send ${name} to ${context.host.name}`;
  await context.act({ name: `send-${stageSubject(image)}`, text, before: { fromByte } }, async () => {
    const options = { timeoutMs: longestMs, signal: context.signal, onProgress };
    try {
      await context.host.upload({ localPath, remotePath: partPath(image), fromByte, bytes }, options);
    } finally {
      await reports;
    }
    if (reportError !== undefined) throw reportError;
    return { evidence: `${bytes - fromByte} bytes sent, from byte ${fromByte} on`, value: undefined };
  });
}
