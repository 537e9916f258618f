import { z } from 'zod';
import { Image } from '../domain/image.ts';
import { knownBmc } from '../domain/credential-key.ts';
import type { Diff, ObserveContext, Unmet } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { BmcManager } from '../facts/bmc-manager.ts';
import { readBmcManager } from '../facts/bmc-manager.ts';
import { readRshimService } from '../facts/rshim.ts';
import { bmcReader } from './bmc-session.ts';
import { needChecks } from './needs.ts';

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
  /** Asked only where the BMC would fetch the image; else, or why it cannot be asked yet. */
  readonly manager: BmcManager | Unmet | undefined;
}

/** Older ones do not take a BFB. Source: NVIDIA infra-controller (needs 24.10 for it). */
const oldestBmc = [24, 10] as const;

/**
 * Choose how the image gets onto the card: over the rshim of its host, or fetched by the BMC of the card.
 *
 * Why      Over rshim the image is checked first, the password and our key go in with it, and the installer can be watched:
 *          that way wherever it is there. The BMC needs nothing of the host, and brings none of that. The host is looked at
 *          also while nobody can log in to the BMC yet: on a fresh card that comes later in the same run.
 * Reads    rshim service (host), Managers/Bluefield_BMC (firmware; where the image goes over it).     Changes  nothing.
 * Errors   flash-way-missing, and why the BMC cannot be asked.
 * Source   NVIDIA BlueField docs, "Deploying BlueField Software Using BFB from BMC"; infra-controller (BMC 24.10).
 */
export const chooseFlashWay = defineStep<Params, Observed>({
  name: 'choose-flash-way',
  title: 'Choose the way of the image',
  scope: 'dpu',
  risk: 'read',
  params: Params,
  timeoutMs: 120_000,
  needs: ['host-ssh'],
  provides: [],
  wanted: ({ via }) => via,
  observe: async (context, params) => {
    const hasRshim = (await readRshimService(context.host, context.signal)) !== 'missing';
    return { hasRshim, manager: wayOf({ hasRshim }, params) === 'redfish' ? await askManager(context) : undefined };
  },
  diff: (observed, params, { name: target }) => judge(observed, params, target),
  learns: (observed, params) => ({
    'flash-way': wayOf(observed, params),
    rshim: observed.hasRshim || params.bringsRshim ? 'there' : 'missing',
  }),
});

/** What the BMC says of itself, or why it cannot be asked yet. */
async function askManager(context: ObserveContext): Promise<BmcManager | Unmet> {
  const isAddressKnown = (await knownBmc(context.card, context.records)) !== undefined;
  if (!isAddressKnown) return { met: false, failure: errors.bmcAddressAuto({ target: context.dpu.name }).failure };
  const session = await needChecks['bmc-session'](context);
  return session.met ? readBmcManager(await bmcReader(context), context.signal) : session;
}

/** Pure: what was asked for, else rshim where the host has it or gets it. */
export function wayOf({ hasRshim }: Pick<Observed, 'hasRshim'>, { via, bringsRshim }: Params): FlashWay {
  if (via !== 'auto') return via;
  return hasRshim || bringsRshim ? 'rshim' : 'redfish';
}

function judge(observed: Observed, params: Params, target: string): Diff {
  const way = wayOf(observed, params);
  const { manager } = observed;
  const problem = way === 'redfish' ? redfishProblem(manager, params) : rshimProblem(observed, params);
  if (problem !== undefined) {
    const other = way === 'redfish' ? rshimProblem(observed, params) : redfishProblem(manager, params);
    const failure = errors.flashWayMissing({ target, way, problem, other }).failure;
    return { kind: 'refused', failure };
  }
  if (manager !== undefined && 'met' in manager) return notAsked(manager);
  const asked = params.via === 'auto' ? '' : ', as asked for';
  const why = {
    rshim: 'the image is checked on the host first, password and key go in with it, and the installer can be watched',
    redfish: 'its BMC fetches the image; bf.cfg does not go along, so the first login is that of the image',
  }[way];
  return { kind: 'satisfied', reason: `over ${way === 'rshim' ? 'rshim' : 'Redfish'}${asked}: ${why}` };
}

/** Over Redfish, and whether its BMC can do that is looked at once somebody can log in to it. */
function notAsked({ failure, untilMs }: Unmet): Diff {
  const reason = `over Redfish, unless the firmware of its BMC is too old for it: ${failure.what}`;
  if (untilMs !== undefined) return { kind: 'waiting', reason, untilMs };
  if (failure.code === 'bmc-login-refused') return { kind: 'refused', failure };
  return { kind: 'deferred', awaits: 'bmc-session', reason };
}

function rshimProblem({ hasRshim }: Observed, { bringsRshim }: Params): string | undefined {
  if (hasRshim || bringsRshim) return undefined;
  return 'The host has no rshim driver, and its profile does not bring DOCA.';
}

function redfishProblem(manager: Observed['manager'], { image }: Params): string | undefined {
  if (image.url === undefined)
    return 'The image is a file of the worker (`file`), and the BMC can only fetch it from a web server (`url`).';
  if (manager === undefined || 'met' in manager) return undefined;
  const { firmware } = manager;
  const [, year, month] = /^BF-(\d+)\.(\d+)/.exec(firmware) ?? [];
  if (year === undefined || month === undefined)
    return `The BMC names its firmware "${firmware}", so nobody knows whether it takes a BFB.`;
  const isOld = Number(year) < oldestBmc[0] || (Number(year) === oldestBmc[0] && Number(month) < oldestBmc[1]);
  return isOld ? `The firmware of the BMC (${firmware}) is older than BF-24.10 and takes no BFB.` : undefined;
}
