import { z } from 'zod';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { CardUse, CardUseFacts } from '../facts/card-use-judge.ts';
import { judgeCardUse } from '../facts/card-use-judge.ts';
import { readCardUse } from '../facts/card-use.ts';
import { pciAddressesOf } from './power-cards.ts';

interface Params {
  /** The person has said that the host may hang on the card (`--via-card`). */
  readonly viaCard: boolean;
}

interface Observed extends CardUse {
  readonly hostName: string;
}

/**
 * Find out who uses the card before anything is disrupted: the worker's own way to the host, the root disk, bonds,
 * addresses, the default route, virtual machines.
 *
 * Why      A reset of the card takes all of it away; through the worker's own way the host would be lost in mid-work.
 * Reads    SSH_CONNECTION, ip route/link/addr, sysfs links of PCI, network and block devices, lspci, findmnt, lsblk (host).
 * Changes  nothing.
 * Errors   card-in-use, card-use-unknown, card-not-found, output-unreadable, command-failed.
 * Source   ip-route(8), sysfs(5); NVIDIA BlueField SNAP (emulated NVMe and virtio-blk disks on the card's PCIe).
 */
export const checkCardUse = defineStep<Params, Observed>({
  name: 'check-card-use',
  title: 'Look who uses the card',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({ viaCard: z.boolean() }),
  timeoutMs: 120_000,
  needs: ['host-ssh'],
  provides: [],
  aim: () => 'refused when the host hangs on the card',
  wanted: ({ viaCard }) => (viaCard ? 'may be in use' : 'the host does not hang on the card'),
  observe: async (context) => {
    const use = judgeCardUse(await readUse(context));
    return { ...use, hostName: context.host.name };
  },
  diff: (use, params, { name: target }) => judge(use, params, target),
});

async function readUse({ host, card, signal }: ObserveContext): Promise<CardUseFacts> {
  const [address] = (await pciAddressesOf(host, [card], signal)).values();
  if (address === undefined) throw errors.bug({ detail: `no PCI address for ${card.dpu.name}` });
  return readCardUse(host, address, signal);
}

function judge({ vital, unknown, services, hostName: host }: Observed, { viaCard }: Params, target: string): Diff {
  if (!viaCard && vital.length > 0)
    return { kind: 'refused', failure: errors.cardInUse({ target, host, uses: vital }).failure };
  if (!viaCard && unknown.length > 0)
    return {
      kind: 'refused',
      failure: errors.cardUseUnknown({ target, host, problem: `${unknown.join('; ')}.` }).failure,
    };
  const uses = [...vital, ...unknown, ...services];
  if (uses.length === 0) return { kind: 'satisfied', reason: 'nobody uses it' };
  const risky = vital.length + unknown.length > 0 ? '; the host may be lost until the card is back' : '';
  return {
    kind: 'satisfied',
    reason: viaCard && vital.length > 0 ? 'in use, and allowed with --via-card' : 'in service',
    warning: `${target} is in use and will be interrupted: ${uses.join('; ')}${risky}`,
  };
}
