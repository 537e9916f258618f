import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { TailscaleState } from '../facts/tailscale.ts';
import { readTailscale } from '../facts/tailscale.ts';
import { lastLine } from './job-watch.ts';
import { runOk, writeRootFile } from './remote.ts';

/** On tmpfs: it is gone after a reboot, whatever happens to us. */
const keyFile = '/run/dpubot/tailscale-auth-key';
const removal = ['sudo', '-n', 'rm', '-f', keyFile, `${keyFile}.dpubot-new`];
const joinName = 'join-tailnet';
const daemonWaitMs = 60_000;
const settleMs = 20_000;
const joinSeconds = 120;

/** A worker died while it logged in: the machine may be in the tailnet, and the key may still lie on its tmpfs. */
export function isJoinOpen({ actions }: Pick<ObserveContext, 'actions'>): boolean {
  return actions.findLast(({ action }) => action === joinName)?.done === false;
}

/** Starts tailscaled, now and at every boot, and waits until it answers. Errors: command-failed, package-install-failed. */
export async function startTailscaled(context: ApplyContext, session: HostSession): Promise<void> {
  const { clock, signal, runId } = context;
  if ((await readTailscale(session, signal)).state !== 'daemon-down') return;
  await context.act({ name: 'start-tailscaled', text: `start tailscaled on ${session.name}` }, async () => {
    const argv = ['sudo', '-n', 'systemctl', 'enable', '--now', 'tailscaled.service'];
    await runOk(session, argv, { timeoutMs: 90_000, signal });
    const untilMs = clock.nowMs() + clock.deadlineMs(daemonWaitMs);
    while ((await readTailscale(session, signal)).state === 'daemon-down') {
      if (clock.nowMs() > untilMs)
        throw errors.packageInstallFailed({
          host: session.name,
          what: 'Starting tailscaled',
          why: 'Its service was started and does not answer.',
          next: `Look at \`journalctl -u tailscaled\` on ${session.name}.`,
          run: runId,
        });
      await clock.poll(2_000, signal);
    }
    return { evidence: 'tailscaled answers', value: undefined };
  });
}

/**
 * Joins the tailnet unless the machine is in it. One that was only switched off comes back with its own settings and needs
 * no key. Errors: tailscale-login-failed, tailscale-not-approved, credential-missing.
 */
export async function joinTailnet(
  context: ApplyContext,
  session: HostSession,
  wanted: { readonly authKey: string; readonly hostname: string },
): Promise<void> {
  const { signal, runId } = context;
  const state = await settledState(context, session);
  if (state === 'Running') return isJoinOpen(context) ? removeLeftKey(context, session) : undefined;
  const target = session.name;
  const text = state === 'Stopped' ? `switch Tailscale on` : `join the tailnet as ${wanted.hostname}`;
  await context.act({ name: joinName, text, before: state }, async () => {
    const said = state === 'Stopped' ? await switchOn(context, session) : await logIn(context, session, wanted);
    const after = await readTailscale(session, signal);
    if (after.state === 'NeedsMachineAuth') throw errors.tailscaleNotApproved({ target, run: runId });
    if (after.state !== 'Running')
      throw errors.tailscaleLoginFailed({
        target,
        credential: wanted.authKey,
        why: `Its state is ${after.state}${said === '' ? '' : `: ${said}`}.`,
        run: runId,
      });
    return { evidence: `Running, ${after.addresses.join(', ')}`, value: undefined };
  });
}

/** A daemon that has just been started first finds out whether it is logged in. */
async function settledState({ clock, signal }: ApplyContext, session: HostSession): Promise<TailscaleState> {
  const untilMs = clock.nowMs() + clock.deadlineMs(settleMs);
  for (;;) {
    const { state } = await readTailscale(session, signal);
    if ((state !== 'Starting' && state !== 'NoState') || clock.nowMs() > untilMs) return state;
    await clock.poll(2_000, signal);
  }
}

/** `tailscale up` without flags keeps all settings; it has no limit of its own then. */
async function switchOn({ signal }: ApplyContext, session: HostSession): Promise<string> {
  const argv = ['sudo', '-n', 'timeout', String(joinSeconds), 'tailscale', 'up'];
  const result = await session.run(argv, { timeoutMs: (joinSeconds + 30) * 1_000, signal });
  return withoutKeys(lastLine(`${result.stdout}\n${result.stderr}`));
}

/** The key is in a file of root for as long as the login takes, and never in words of a command. */
async function logIn(
  { credentials, signal }: ApplyContext,
  session: HostSession,
  { authKey, hostname }: { readonly authKey: string; readonly hostname: string },
): Promise<string> {
  const content = await credentials.named(authKey);
  try {
    await writeRootFile(session, { path: keyFile, mode: '600', content }, { signal });
    const flags = [`--auth-key=file:${keyFile}`, `--hostname=${hostname}`, `--timeout=${joinSeconds}s`];
    const argv = ['sudo', '-n', 'tailscale', 'up', ...flags];
    const result = await session.run(argv, { timeoutMs: (joinSeconds + 30) * 1_000, signal });
    return withoutKeys(lastLine(`${result.stdout}\n${result.stderr}`));
  } finally {
    // Also when the run is being cancelled; a failure here must not hide what went wrong before.
    await session.run(removal, { timeoutMs: 15_000 }).catch(() => undefined);
  }
}

/** Ends the join that a dead worker began. */
async function removeLeftKey(context: ApplyContext, session: HostSession): Promise<void> {
  await context.act({ name: joinName, text: `remove the auth key from ${session.name}` }, async () => {
    await runOk(session, removal, { timeoutMs: 15_000, signal: context.signal });
    return { evidence: `Running, ${keyFile} is gone`, value: undefined };
  });
}

/** Tailscale names a refused key in its message. */
function withoutKeys(text: string): string {
  return text.replace(/\btskey-[A-Za-z0-9-]+/g, 'tskey-...').replace(/(API key )\S+/g, '$1...');
}

/** What a person reads of a state. */
export function tailscaleText(state: TailscaleState): string {
  switch (state) {
    case 'missing':
      return 'not installed';
    case 'daemon-down':
      return 'installed, tailscaled does not run';
    case 'NeedsLogin':
    case 'NoState':
      return 'installed, not logged in';
    case 'Stopped':
      return 'logged in and switched off';
    case 'NeedsMachineAuth':
      return 'logged in, not approved';
    case 'InUseOtherUser':
    case 'Starting':
    case 'Running':
      return state;
  }
}
