import { z } from 'zod';
import type { ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpubotFile } from '../facts/arm-files.ts';
import type { TimeDaemon } from '../facts/ntp.ts';
import { readClockSynchronised, readTimeDaemon } from '../facts/ntp.ts';
import { armSession } from './arm-session.ts';
import { runOk, writeRootFile } from './remote.ts';

interface Params {
  readonly servers: readonly string[];
}

interface Observed {
  readonly daemon: TimeDaemon | undefined;
  /** Content of dpubot's own file for that daemon. */
  readonly file: string | undefined;
  readonly synchronised: boolean;
  /** The file was written by this run and the daemon may not have been restarted since. */
  readonly isUnread?: boolean;
}

const actionName = 'set-ntp';
const head = '# Written by dpubot.\n';

/** Where each daemon reads additions to its settings from. Source: timesyncd.conf(5), ntpd(8) of NTPsec, chrony.conf(5). */
const settings: Readonly<
  Record<TimeDaemon, { readonly path: string; readonly content: (servers: readonly string[]) => string }>
> = {
  'systemd-timesyncd': {
    path: '/etc/systemd/timesyncd.conf.d/dpubot.conf',
    content: (servers) => `${head}[Time]\nNTP=${servers.join(' ')}\n`,
  },
  ntpsec: { path: '/etc/ntpsec/ntp.d/dpubot.conf', content: (servers) => head + lines(servers) },
  chrony: { path: '/etc/chrony/sources.d/dpubot.sources', content: (servers) => head + lines(servers) },
};

/**
 * Have the Arm keep its clock by the time servers of the profile, with whichever daemon it has.
 *
 * Why      Certificates and logs; the Arm has no clock that runs without power.
 * Reads    systemctl is-active, timedatectl, the daemon's own drop-in file (Arm).
 * Changes  that file and a restart of the daemon (Arm). Servers that the image names stay beside them.
 * Errors   ntp-no-daemon, command-failed, sudo-refused.
 * Source   bfb-build (its Ubuntu 22.04 image has ntpsec, older and cloud images systemd-timesyncd); timesyncd.conf(5).
 */
export const setNtp = defineStep<Params, Observed>({
  name: 'set-ntp',
  title: 'Set the time servers',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({ servers: z.array(z.string().min(1)).min(1) }),
  timeoutMs: 120_000,
  needs: ['arm-ssh'],
  provides: [],
  aim: ({ servers }) => `time servers ${servers.join(', ')} on its Arm`,
  wanted: ({ servers }) => ({ servers }),
  observe,
  diff: ({ daemon, file, synchronised, isUnread }, { servers }, { name: target }) => {
    if (daemon === undefined) return { kind: 'refused', failure: errors.ntpNoDaemon({ target }).failure };
    const to = servers.join(', ');
    if (file === settings[daemon].content(servers) && isUnread !== true) {
      // Not a warning: it would be part of what is approved, and it changes by itself.
      const clock = synchronised ? 'the clock is set' : 'the clock is not yet set by any of them';
      return { kind: 'satisfied', reason: `${daemon} asks ${to}; ${clock}` };
    }
    const from = file === undefined ? 'those of the image' : isUnread === true ? 'not read yet' : 'others';
    const text = `time servers of the Arm of ${target} (${daemon}): ${from} -> ${to}`;
    return { kind: 'change', changes: [{ target, from, to, text }] };
  },
  apply: async (context, _changes, { servers }, { daemon, file }) => {
    if (daemon === undefined) throw errors.ntpNoDaemon({ target: context.dpu.name });
    const arm = await armSession(context);
    const { signal } = context;
    const { path, content } = settings[daemon];
    const before = file === undefined ? 'none' : 'another file of dpubot';
    await context.act({ name: actionName, text: `write ${path} and restart ${daemon}`, before }, async () => {
      await writeRootFile(arm, { path, mode: '644', content: content(servers) }, { signal });
      // The daemons drop their rights and read it as another user.
      const folder = path.slice(0, path.lastIndexOf('/'));
      await runOk(arm, ['sudo', '-n', 'chmod', '755', folder], { timeoutMs: 15_000, signal });
      await runOk(arm, ['sudo', '-n', 'systemctl', 'restart', `${daemon}.service`], { timeoutMs: 60_000, signal });
      return { evidence: `${path} written, ${daemon} restarted`, value: undefined };
    });
    return { kind: 'done' };
  },
  verify: async (context, { servers }) => {
    const { daemon, file } = await observe(context);
    const pass = daemon !== undefined && file === settings[daemon].content(servers);
    const actual = `${daemon ?? 'no daemon'}, ${pass ? 'file as wanted' : 'file differs'}`;
    return [{ check: 'time servers', pass, expected: `a daemon that runs, with ${servers.join(', ')}`, actual }];
  },
});

function lines(servers: readonly string[]): string {
  return servers.map((server) => `server ${server} iburst\n`).join('');
}

async function observe(context: ObserveContext): Promise<Observed> {
  const arm = await armSession(context);
  const daemon = await readTimeDaemon(arm, context.signal);
  const file = daemon === undefined ? undefined : await readDpubotFile(arm, settings[daemon].path, context.signal);
  // The daemon reads its file at its start: one that died with the worker between the two would never ask these servers.
  const isUnread = context.actions.findLast(({ action }) => action === actionName)?.done === false;
  return { daemon, file, synchronised: await readClockSynchronised(arm, context.signal), isUnread };
}
