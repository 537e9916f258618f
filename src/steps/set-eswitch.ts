import { z } from 'zod';
import type { ApplyContext, Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Eswitch, Uplink } from '../facts/eswitch.ts';
import { eswitchDevice, readEswitch } from '../facts/eswitch.ts';
import { armSession } from './arm-session.ts';
import { runOk } from './remote.ts';

const Params = z.strictObject({
  steering: z.enum(['dmfs', 'smfs', 'leave']),
  uplinks: z.array(z.enum(['p0', 'p1'])).min(1),
  /** Whether the card's boot service leaves steering alone (`IPSEC_FULL_OFFLOAD`). */
  steeringIsKept: z.boolean(),
});
type Params = z.infer<typeof Params>;

type Observed = Readonly<Partial<Record<Uplink, Eswitch>>>;

/**
 * Have the switches of the card in switchdev mode, with the steering that the profile names.
 *
 * Why      Only a switch in switchdev mode has representors, and only from those does Open vSwitch hand flows to the hardware.
 * Reads    devlink dev eswitch show, devlink dev param show flow_steering_mode (Arm), per uplink that has a bridge.
 * Changes  devlink dev eswitch set ... mode; for the steering: legacy, devlink dev param set, switchdev (Arm). Meanwhile
 *          the representors are gone, and the host has no network through the card.
 * Errors   steering-not-settable, command-failed (the driver refuses: functions or security associations are in its way).
 * Source   kernel docs, devlink-eswitch-attr and devlink/mlx5 (`smfs` is refused while the switch is in switchdev mode);
 *          mlnx-tools, mlnx_bf_configure (the same order; without IPSEC_FULL_OFFLOAD each boot sets `smfs` again).
 */
export const setEswitch = defineStep<Params, Observed>({
  name: 'set-eswitch',
  title: 'Set the eswitch mode',
  scope: 'dpu',
  risk: 'disruptive',
  params: Params,
  timeoutMs: 300_000,
  needs: ['arm-ssh', 'drivers'],
  provides: ['representors'],
  aim: (params) => `${params.uplinks.join(' and ')}: ${wishText(params)}`,
  wanted: ({ steering, uplinks }) => ({ steering, uplinks }),
  observe,
  diff: judge,
  apply: async (context, _changes, params, observed) => {
    for (const uplink of params.uplinks) {
      const now = observed[uplink];
      if (now !== undefined && !isAs(now, params)) await change(context, uplink, now, params);
    }
    return { kind: 'done' };
  },
  verify: async (context, params) =>
    Object.entries(await observe(context, params)).map(([uplink, now]) => ({
      check: `eswitch of ${uplink}`,
      pass: isAs(now, params),
      expected: wishText(params),
      actual: textOf(now),
    })),
});

async function observe(context: ObserveContext, { uplinks }: Params): Promise<Observed> {
  const arm = await armSession(context);
  const seen: Partial<Record<Uplink, Eswitch>> = {};
  for (const uplink of uplinks) seen[uplink] = await readEswitch(arm, uplink, context.signal);
  return seen;
}

function judge(observed: Observed, params: Params, { name: target }: { readonly name: string }): Diff {
  const seen = Object.entries(observed);
  const wrong = seen.filter(([, now]) => !isAs(now, params));
  if (wrong.length === 0)
    return { kind: 'satisfied', reason: seen.map(([uplink, now]) => `${uplink} ${textOf(now)}`).join(', ') };
  const silent = wrong.find(([, now]) => isSteeringWrong(now, params) && now.steering === 'unknown');
  if (silent !== undefined) {
    const { failure } = errors.steeringNotSettable({ target, uplink: silent[0], wanted: params.steering });
    return { kind: 'refused', failure };
  }
  const changes = wrong.map(([uplink, now]) => {
    const isBrief = isSteeringWrong(now, params) && params.steering === 'dmfs' && !params.steeringIsKept;
    const until = isBrief ? ', until the card boots (the profile leaves IPSEC_FULL_OFFLOAD off)' : '';
    const cost = 'the host has no network through it for some seconds';
    const text = `${target}: ${uplink} ${textOf(now)} -> ${wishText(params)}${until}; ${cost}`;
    return { target, from: textOf(now), to: wishText(params), text };
  });
  return { kind: 'change', changes };
}

/** Steering can be written in legacy mode only. A worker that dies in between leaves legacy mode, and the next one goes on. */
async function change(context: ApplyContext, uplink: Uplink, now: Eswitch, params: Params): Promise<void> {
  const device = eswitchDevice(uplink);
  const dev = ['sudo', '-n', 'devlink', 'dev'];
  const mode = (name: Eswitch['mode']): string[] => [...dev, 'eswitch', 'set', device, 'mode', name];
  const steering = ['name', 'flow_steering_mode', 'value', params.steering, 'cmode', 'runtime'];
  const lines = isSteeringWrong(now, params)
    ? [...(now.mode === 'legacy' ? [] : [mode('legacy')]), [...dev, 'param', 'set', device, ...steering]]
    : [];
  const all = [...lines, mode('switchdev')];
  await context.act(
    { name: `eswitch-${uplink}`, text: `${uplink}: ${wishText(params)}`, before: textOf(now) },
    async () => {
      const arm = await armSession(context);
      const options = { timeoutMs: 120_000, signal: context.signal };
      for (const argv of all) await runOk(arm, argv, options);
      return { evidence: all.map((argv) => argv.slice(2).join(' ')).join('; '), value: undefined };
    },
  );
}

function isSteeringWrong({ steering }: Eswitch, params: Params): boolean {
  return params.steering !== 'leave' && steering !== params.steering;
}

function isAs(now: Eswitch, params: Params): boolean {
  return now.mode === 'switchdev' && !isSteeringWrong(now, params);
}

function textOf({ mode, steering }: Eswitch): string {
  return steering === 'unknown' ? mode : `${mode} with ${steering}`;
}

function wishText({ steering }: Params): string {
  return steering === 'leave' ? 'switchdev' : `switchdev with ${steering}`;
}
