import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { HostKey } from '../facts/arm-host-keys.ts';
import { preferredKey, readHostKeys } from '../facts/arm-host-keys.ts';
import { serialOf } from './arm-session.ts';
import type { TmfifoLink } from './tmfifo-link.ts';

const pollMs = 5_000;
/** As long as DPF and infra-controller give a boot; sshd comes up some seconds before its end. */
const bootLimitMs = 300_000;

/**
 * Learns the host key of the Arm over its own tmfifo link and pins it. A pinned one that differs is replaced only when
 * dpubot has flashed the card since it was learnt: an installation makes new keys. Returns the fingerprint.
 *
 * Errors: arm-unreachable (nobody answers within the limit of a boot), ssh-host-key-changed.
 */
export async function pinHostKey(context: ApplyContext, way: TmfifoLink): Promise<string> {
  const keys = await waitForKeys(context, way);
  const target = context.dpu.name;
  const pinned = await context.pins.get('ssh-host-key', target);
  // Any key the server has will do as long as it is the pinned one.
  if (pinned !== undefined && keys.some((key) => key.fingerprint === pinned)) return pinned;
  const seen = preferredKey(keys);
  if (seen === undefined) throw errors.bug({ detail: 'waited for host keys and came back with none' });
  const serial = serialOf(context);
  const record = await context.records.get(serial);
  const isExplained = record?.origin === 'flashed' && (record.armKeyAtMs ?? 0) <= record.atMs;
  if (pinned !== undefined && !isExplained)
    throw errors.sshHostKeyChanged({ host: `the Arm of ${target}`, seen: seen.fingerprint, card: target });
  const text = `pin the ${seen.type} host key of the Arm of ${target}, learnt over ${way.link}`;
  await context.act({ name: 'pin-host-key', text, before: pinned ?? 'none' }, async () => {
    await context.pins.set('ssh-host-key', target, seen.fingerprint, context.runId);
    if (record !== undefined)
      await context.records.put(serial, { ...record, armKeyAtMs: Math.max(context.clock.nowMs(), record.atMs + 1) });
    context.arm.forget(context.card);
    return { evidence: seen.fingerprint, value: undefined };
  });
  return seen.fingerprint;
}

async function waitForKeys(context: ApplyContext, way: TmfifoLink): Promise<readonly HostKey[]> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(bootLimitMs);
  for (;;) {
    const keys = await readHostKeys(context.host, way.namespace, context.signal);
    if (keys.length > 0) return keys;
    if (context.clock.nowMs() - startMs >= limitMs)
      throw errors.armUnreachable({
        target: context.dpu.name,
        host: context.host.name,
        device: way.link,
        limit: '5 min',
        run: context.runId,
      });
    const text = `waiting for the SSH server of ${context.dpu.name} on ${way.link}`;
    await context.progress({ text, sinceMs: startMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}
