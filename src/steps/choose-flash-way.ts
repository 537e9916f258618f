import { z } from 'zod';
import { Image } from '../domain/image.ts';
import type { Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { BmcManager } from '../facts/bmc-manager.ts';
import { readBmcManager } from '../facts/bmc-manager.ts';
import { readRshimService } from '../facts/rshim.ts';
import { bmcReader } from './bmc-session.ts';

const Params = z.strictObject({
  via: z.enum(['auto', 'rshim', 'redfish']),
  image: Image,
  /** This run brings the driver of rshim to the host. */
  bringsRshim: z.boolean(),
});
type Params = z.infer<typeof Params>;

export type FlashWay = 'rshim' | 'redfish';

interface Observed {
  readonly hasRshim: boolean;
  readonly manager: BmcManager;
}

/** Older ones do not take a BFB. Source: NVIDIA infra-controller (needs 24.10 for it). */
const oldestBmc = [24, 10] as const;

/**
 * Choose how the image gets onto the card: over the rshim of its host, or fetched by the BMC of the card.
 *
 * Why      Over rshim the image is checked first, the password and our key go in with it, and the installer can be watched:
 *          that way wherever it is there. The BMC needs nothing of the host, and brings none of that.
 * Reads    rshim service (host), Managers/Bluefield_BMC (firmware).     Changes  nothing.
 * Errors   flash-way-missing.
 * Source   NVIDIA BlueField docs, "Deploying BlueField Software Using BFB from BMC"; infra-controller (BMC 24.10).
 */
export const chooseFlashWay = defineStep<Params, Observed>({
  name: 'choose-flash-way',
  title: 'Choose the way of the image',
  scope: 'dpu',
  risk: 'read',
  params: Params,
  timeoutMs: 120_000,
  needs: ['host-ssh', 'bmc-session'],
  provides: [],
  wanted: ({ via }) => via,
  observe: async (context) => ({
    hasRshim: (await readRshimService(context.host, context.signal)) !== 'missing',
    manager: await readBmcManager(await bmcReader(context), context.signal),
  }),
  diff: (observed, params, { name: target }) => judge(observed, params, target),
  learns: (observed, params) => ({
    'flash-way': wayOf(observed, params),
    rshim: observed.hasRshim || params.bringsRshim ? 'there' : 'missing',
  }),
});

/** Pure: what was asked for, else rshim where the host has it or gets it. */
export function wayOf({ hasRshim }: Pick<Observed, 'hasRshim'>, { via, bringsRshim }: Params): FlashWay {
  if (via !== 'auto') return via;
  return hasRshim || bringsRshim ? 'rshim' : 'redfish';
}

function judge(observed: Observed, params: Params, target: string): Diff {
  const way = wayOf(observed, params);
  const problem = way === 'redfish' ? redfishProblem(observed.manager, params) : rshimProblem(observed, params);
  if (problem !== undefined) {
    const other = way === 'redfish' ? rshimProblem(observed, params) : redfishProblem(observed.manager, params);
    const failure = errors.flashWayMissing({ target, way, problem, other }).failure;
    return { kind: 'refused', failure };
  }
  const asked = params.via === 'auto' ? '' : ', as asked for';
  const why = {
    rshim: 'the image is checked on the host first, password and key go in with it, and the installer can be watched',
    redfish: 'its BMC fetches the image; bf.cfg does not go along, so the first login is that of the image',
  }[way];
  return { kind: 'satisfied', reason: `over ${way === 'rshim' ? 'rshim' : 'Redfish'}${asked}: ${why}` };
}

function rshimProblem({ hasRshim }: Observed, { bringsRshim }: Params): string | undefined {
  if (hasRshim || bringsRshim) return undefined;
  return 'The host has no rshim driver, and its profile does not bring DOCA.';
}

function redfishProblem({ firmware }: BmcManager, { image }: Params): string | undefined {
  if (image.url === undefined)
    return 'The image is a file of the worker (`file`), and the BMC can only fetch it from a web server (`url`).';
  const [, year, month] = /^BF-(\d+)\.(\d+)/.exec(firmware) ?? [];
  if (year === undefined || month === undefined)
    return `The BMC names its firmware "${firmware}", so nobody knows whether it takes a BFB.`;
  const isOld = Number(year) < oldestBmc[0] || (Number(year) === oldestBmc[0] && Number(month) < oldestBmc[1]);
  return isOld ? `The firmware of the BMC (${firmware}) is older than BF-24.10 and takes no BFB.` : undefined;
}
