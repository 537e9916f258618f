import { z } from 'zod';
import type { Verdict } from '../domain/outcome.ts';
import type { ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import type { Hostname } from '../facts/hostname.ts';
import { ownNames, readHostname, withOwnName } from '../facts/hostname.ts';
import { armSession, serialOf } from './arm-session.ts';
import { runOk, writeRootFile } from './remote.ts';

interface Observed {
  readonly names: Hostname;
  readonly wanted: string;
}

/**
 * Name the Arm after the serial number of its card, also in its hosts file.
 *
 * Why      Every fresh image is called `localhost`; logs of twenty cards cannot be told apart. Without the line in
 *          /etc/hosts each sudo waits for a name server that does not know the name.
 * Reads    /proc/sys/kernel/hostname, /etc/hostname, /etc/hosts (Arm).
 * Changes  /etc/hosts, then hostnamectl set-hostname (Arm).
 * Errors   command-failed, sudo-refused, output-unreadable.
 * Source   seed blog step 5 (the serial as it is printed); hostnamectl(1), hosts(5), Debian reference 5.1.1 (127.0.1.1).
 */
export const setHostname = defineStep<Record<string, never>, Observed>({
  name: 'set-hostname',
  title: 'Set the hostname',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({}),
  timeoutMs: 120_000,
  needs: ['arm-ssh'],
  provides: [],
  aim: () => 'its Arm is named after the serial number',
  wanted: () => 'the serial number of the card',
  observe,
  diff: ({ names, wanted }, _params, { name: target }) => {
    const { now, kept = 'none' } = names;
    const inHosts = ownNames(names.hosts).join(' ') || 'none';
    const texts = [
      ...(now === wanted ? [] : [`hostname ${now} -> ${wanted}`]),
      ...(kept === wanted ? [] : [`/etc/hostname ${kept} -> ${wanted}`]),
      ...(ownNames(names.hosts).includes(wanted) ? [] : [`127.0.1.1 in /etc/hosts ${inHosts} -> ${wanted}`]),
    ];
    if (texts.length === 0) return { kind: 'satisfied', reason: `it is named ${wanted}` };
    return {
      kind: 'change',
      changes: [{ target, from: now, to: wanted, text: `Arm of ${target}: ${texts.join(', ')}` }],
    };
  },
  apply: async (context, _changes, _params, { names, wanted }) => {
    const arm = await armSession(context);
    const { signal } = context;
    const before = { now: names.now, kept: names.kept ?? 'none', hosts: ownNames(names.hosts).join(' ') };
    await context.act({ name: 'set-hostname', text: `name the Arm ${wanted}`, before }, async () => {
      // The hosts file first: otherwise the next sudo cannot resolve its own host.
      const { hosts } = await readHostname(arm, signal);
      await writeRootFile(arm, { path: '/etc/hosts', mode: '644', content: withOwnName(hosts, wanted) }, { signal });
      await runOk(arm, ['sudo', '-n', 'hostnamectl', 'set-hostname', wanted], { timeoutMs: 30_000, signal });
      return { evidence: `/etc/hosts written, hostnamectl set-hostname ${wanted}`, value: undefined };
    });
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { names, wanted } = await observe(context);
    const check = (what: string, seen: readonly string[]): Verdict => ({
      check: what,
      pass: seen.includes(wanted),
      expected: wanted,
      actual: seen.join(' ') || 'none',
    });
    return [
      check('hostname', [names.now]),
      check('/etc/hostname', names.kept === undefined ? [] : [names.kept]),
      check('127.0.1.1 in /etc/hosts', ownNames(names.hosts)),
    ];
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  return { names: await readHostname(await armSession(context), context.signal), wanted: serialOf(context) };
}
