import { z } from 'zod';
import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { MtuPlace, MtuState, MtuWish } from './arm-mtu-plan.ts';
import { observeMtu, orderedMtuChanges, rulesOf } from './arm-mtu-plan.ts';
import { armSession } from './arm-session.ts';
import { runOk, writeRootFile } from './remote.ts';

/**
 * Set the IP MTU of uplinks and representors on the card and of the card's network functions on the host, now and for every
 * later boot.
 *
 * Why      The host's functions must not be above uplink and representor: larger packets are lost in between, and results
 *          measure that. So it is raised from the wire to the host, and lowered the other way round.
 * Units    uplink, host: bytes of the IP packet, 1280 to 9978.
 * Reads    ip -json link (Arm, host), the links of the card's PCI functions, dpubot's own udev rules.
 * Changes  ip link set ... mtu, and a udev rule each on Arm and host. Links that a one-port card does not have are left out.
 * Errors   link-not-found, command-failed (the device refuses the value), sudo-refused, card-not-found.
 * Source   NVIDIA BlueField docs, Kernel Representors Model; udev(7) (ATTR, NAME). A rule and no .network file:
 *          systemd-networkd races with the renaming of p0 and p1 (infra-controller issue 5555).
 */
export const setMtu = defineStep<MtuWish, MtuState>({
  name: 'set-mtu',
  title: 'Set the MTU',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({ uplink: z.int().min(1280), host: z.int().min(1280) }),
  timeoutMs: 300_000,
  needs: ['arm-ssh', 'drivers'],
  provides: [],
  aim: ({ uplink, host }) =>
    `MTU ${uplink} bytes on p0, p1 and their representors, ${host} on its functions of the host`,
  wanted: (params) => params,
  observe: observeMtu,
  diff: (state, wish, dpu) => judge(state, wish, dpu.name),
  apply: async (context, _changes, wish, state) => {
    for (const change of orderedMtuChanges(state, wish))
      await context.act(
        {
          name: `mtu-${change.place}-${change.link}`,
          text: `${change.link}: MTU ${change.from} -> ${change.to}`,
          before: change.from,
        },
        async () => {
          const session = await sessionOf(context, change.place);
          const words = ['sudo', '-n', 'ip', 'link', 'set', 'dev', change.link, 'mtu', String(change.to)];
          await runOk(session, words, { timeoutMs: 30_000, signal: context.signal });
          return { evidence: words.slice(2).join(' '), value: undefined };
        },
      );
    await keep(context, state, wish);
    return { kind: 'done' };
  },
  verify: async (context, wish) => {
    const state = await observeMtu(context);
    const links = (['card', 'host'] as const).flatMap((place) =>
      state[place].map(({ name, mtuBytes }) => {
        const wanted = place === 'card' ? wish.uplink : wish.host;
        return {
          check: `MTU of ${name}`,
          pass: mtuBytes === wanted,
          expected: String(wanted),
          actual: String(mtuBytes),
        };
      }),
    );
    const kept = rulesOf(state, wish).every(({ now, wanted }) => now === wanted);
    const rules = { check: 'udev rules', pass: kept, expected: 'as wanted', actual: kept ? 'as wanted' : 'other' };
    return [...links, rules];
  },
});

async function sessionOf(context: ApplyContext, place: MtuPlace): Promise<HostSession> {
  return place === 'card' ? armSession(context) : context.host;
}

/** The rules for later boots. */
async function keep(context: ApplyContext, state: MtuState, wish: MtuWish): Promise<void> {
  for (const { place, path, now, wanted } of rulesOf(state, wish)) {
    if (now === wanted) continue;
    await context.act(
      { name: `mtu-rule-${place}`, text: `write ${path} (${place})`, before: now ?? 'none' },
      async () => {
        const session = await sessionOf(context, place);
        await writeRootFile(session, { path, mode: '644', content: wanted }, { signal: context.signal });
        return { evidence: path, value: undefined };
      },
    );
  }
}

function judge(state: MtuState, wish: MtuWish, target: string): Diff {
  for (const [place, link] of [
    ['card', 'uplink p0'],
    ['host', 'network link'],
  ] as const)
    if (state[place].length === 0) {
      const where = place === 'card' ? 'its Arm' : 'its host';
      return { kind: 'refused', failure: errors.linkNotFound({ target, link, where }).failure };
    }
  const links = orderedMtuChanges(state, wish).map(({ place, link, from, to }) => ({
    target,
    from: String(from),
    to: String(to),
    text: `${link} (${place}): MTU ${from} -> ${to} bytes`,
  }));
  const rules = rulesOf(state, wish)
    .filter(({ now, wanted }) => now !== wanted)
    .map(({ place, path, now }) => ({
      target,
      from: now === undefined ? 'none' : 'another rule',
      to: 'rule as wanted',
      text: `MTU for later boots (${place}): ${path}`,
    }));
  const equal = wish.host >= wish.uplink;
  const warning = `NVIDIA asks for a host MTU below that of the uplink; the profile has ${wish.host} for both`;
  const more = equal ? { warning } : {};
  if (links.length + rules.length === 0) {
    const names = (place: MtuPlace): string => state[place].map((link) => link.name).join(', ');
    const reason = `${names('card')} have ${wish.uplink} bytes, ${names('host')} on the host ${wish.host}, also after a boot`;
    return { kind: 'satisfied', reason, ...more };
  }
  return { kind: 'change', changes: [...links, ...rules], ...more };
}
