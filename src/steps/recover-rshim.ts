import { z } from 'zod';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readRshimFunction } from '../facts/rshim-function.ts';
import { readRshimSettings } from '../facts/rshim-owner.ts';
import { bmcSession } from './bmc-session.ts';
import { takeRshim } from './flash-ownership.ts';
import { refuseWhilePushing, writeMisc } from './flash-rshim.ts';
import { pciAddressesOf } from './power-cards.ts';
import type { RshimState } from './recover-rshim-state.ts';
import { lookAtRshim, waitForRshim } from './recover-rshim-state.ts';
import { runOk } from './remote.ts';

/** What is done about what is seen; nothing where it does not apply. */
type Measure = (context: ApplyContext, seen: RshimState) => Promise<void>;

/**
 * Make the rshim of a card answer to its host: restart the driver, take the card from its BMC, and last have the kernel find
 * the PCI function anew. The mildest comes first, and nothing more is done once `misc` of the card can be read.
 *
 * Why      Without rshim a card cannot be flashed, has no console, and its new host key cannot be learnt.
 * Reads    running bfb-install, systemctl, misc of all devices, lspci (host); BmcRShim and HostRshim (BMC, where it answers).
 * Changes  systemctl restart rshim, FORCE_CMD, BmcRShimEnabled, HostRshim, remove and rescan of the rshim function.
 * Errors   flash-running, rshim-owned-by-bmc, rshim-stuck, command-failed.
 * Source   Mellanox rshim-user-space (README, src/rshim_fuse.c, src/rshim_pcie.c); sysfs-bus-pci of the kernel.
 */
export const recoverRshim = defineStep<Record<string, never>, RshimState>({
  name: 'recover-rshim',
  title: 'Make rshim answer',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 600_000,
  needs: ['host-ssh', 'rshim'],
  provides: [],
  aim: () => 'misc of the card can be read on its host',
  wanted: () => 'misc of the card can be read on its host',
  observe: lookAtRshim,
  diff: (seen, _params, { name: target }) => judge(seen, target),
  apply: async (context) => {
    for (const measure of [restartDriver, takeFromBmc, findAnew]) {
      const seen = await lookAtRshim(context);
      if (seen.kind === 'works') return { kind: 'done' };
      await refuseWhilePushing(context);
      await measure(context, seen);
    }
    const { kind, text } = await lookAtRshim(context);
    if (kind === 'works') return { kind: 'done' };
    const { dpu, host, runId: run } = context;
    throw errors.rshimStuck({ target: dpu.name, host: host.name, seen: text, run });
  },
  verify: async (context) => {
    const { kind, text } = await lookAtRshim(context);
    return [{ check: 'misc of the card', pass: kind === 'works', expected: 'readable', actual: text }];
  },
});

function judge({ kind, text, host }: RshimState, target: string): Diff {
  if (kind === 'works') return { kind: 'satisfied', reason: text };
  if (kind === 'pushing')
    return { kind: 'refused', failure: errors.rebootWhileFlashing({ target, host, seen: text }).failure };
  const first =
    kind === 'drop'
      ? 'it is taken from its BMC'
      : `the rshim service of ${host} is restarted, and where that is not enough it is taken from its BMC`;
  const change = `rshim of ${target}: ${text} -> readable; ${first}, last its PCI function is found anew. Consoles of all cards of ${host} pause meanwhile; Arm and network go on`;
  return { kind: 'change', changes: [{ target, from: text, to: 'readable', text: change }] };
}

/** A driver that waits in drop mode is in order: it is the other side that has the card. */
const restartDriver: Measure = async (context, { kind }) => {
  if (kind !== 'drop') await restartDriverAs(context, 'restart-rshim');
};

async function restartDriverAs(context: ApplyContext, name: string): Promise<void> {
  await context.act({ name, text: `restart the rshim service of ${context.host.name}` }, async () => {
    await restartService(context);
    return { evidence: (await waitForRshim(context)).text, value: undefined };
  });
}

async function restartService({ host, signal }: ApplyContext): Promise<void> {
  await runOk(host, ['sudo', '-n', 'systemctl', 'restart', 'rshim'], { timeoutMs: 90_000, signal });
}

/** A device that cannot be read says nothing of its owner: then the BMC is not asked. */
const takeFromBmc: Measure = async (context, seen) => {
  if (seen.kind === 'silent') return;
  const isBmcs = await hasBmcTheRshim(context);
  if (isBmcs === true) return takeAndRestart(context);
  if (isBmcs === false || seen.kind !== 'drop') return;
  const text = `ask whoever has the rshim of ${context.dpu.name} for it`;
  await context.act({ name: 'force-rshim', text }, async () => {
    await writeMisc(context, seen.device, 'FORCE_CMD 1');
    return { evidence: (await waitForRshim(context)).text, value: undefined };
  });
};

/** The BMC takes some seconds to let go; a driver that was started before that has not seen the card. */
async function takeAndRestart(context: ApplyContext): Promise<void> {
  try {
    await takeRshim(context);
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'rshim-owned-by-bmc') throw error;
    await restartDriverAs(context, 'restart-rshim-again');
  }
}

/** The BMC may be out of reach as well; its rshim can be asked for over the driver alone. */
async function hasBmcTheRshim(context: ApplyContext): Promise<boolean | 'not known'> {
  try {
    const { bmcEnabled, host } = await readRshimSettings(await bmcSession(context), context.signal);
    return bmcEnabled || host === 'Disabled';
  } catch (error) {
    if (!(error instanceof OpsError) || ['lease-lost', 'store-unavailable'].includes(error.code)) throw error;
    return 'not known';
  }
}

const rebindScript = 'echo 1 >"/sys/bus/pci/devices/$1/remove" && sleep 1 && echo 1 >/sys/bus/pci/rescan';

/** Removes the rshim function alone from the kernel's list and has it found again; the network functions stay. */
const findAnew: Measure = async (context) => {
  const { host, card, signal } = context;
  const [address = ''] = (await pciAddressesOf(host, [card], signal)).values();
  const rshimFunction = await readRshimFunction(host, address, signal);
  if (rshimFunction === undefined) return;
  const text = `have the kernel of ${host.name} find ${rshimFunction} anew`;
  await context.act({ name: 'rebind-rshim', text }, async () => {
    const argv = ['sudo', '-n', 'sh', '-c', rebindScript, 'dpubot-rebind', rshimFunction];
    await runOk(host, argv, { timeoutMs: 60_000, signal });
    await restartService(context);
    return { evidence: (await waitForRshim(context)).text, value: undefined };
  });
};
