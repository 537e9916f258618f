import { z } from 'zod';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Drivers } from '../facts/drivers.ts';
import { readDrivers } from '../facts/drivers.ts';
import { restartDrivers } from './arm-driver-restart.ts';
import { armSession } from './arm-session.ts';

interface Params {
  /** Version of the driver that the image brings. */
  readonly driver?: string | undefined;
}

interface Observed {
  readonly drivers: Drivers;
  readonly runId: number;
}

/**
 * Have the Arm run the driver that is installed on it: one restart of openibd where another one, or none, is loaded.
 *
 * Why      The boot may have loaded the kernel's own driver, which has no version and no IPsec offload; and modules that
 *          Secure Boot rejects are seen here, not in a benchmark.
 * Reads    /sys/module/mlx5_core/version, modinfo, mokutil --sb-state (Arm).
 * Changes  /etc/init.d/openibd restart (Arm), detached: p0, p1 and the host's links of the card are gone for a minute.
 * Errors   modules-rejected, driver-restart-failed, versions-differ, outcome-unknown.
 * Source   seed blog step 5; mlnx-ofa_kernel openibd; mokutil(1).
 */
export const loadDrivers = defineStep<Params, Observed>({
  name: 'load-drivers',
  title: 'Load the drivers',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({ driver: z.string().min(1).optional() }),
  timeoutMs: 900_000,
  needs: ['arm-ssh'],
  provides: ['drivers'],
  aim: ({ driver }) =>
    `${driver === undefined ? 'the installed mlx5 driver' : `mlx5 driver ${driver}`} loaded, by one restart of openibd unless it is`,
  wanted: ({ driver }) => ({ loaded: driver ?? 'as installed' }),
  observe,
  diff: ({ drivers, runId }, { driver }, { name: target }) => {
    const { loaded, installed, secureBoot } = drivers;
    if (driver !== undefined && installed !== driver) {
      const differences = [`driver installed on it is ${installed}, wanted is ${driver}`];
      return { kind: 'refused', failure: errors.versionsDiffer({ target, differences, run: runId }).failure };
    }
    if (installed === loaded && loaded !== 'none')
      return { kind: 'satisfied', reason: `mlx5 driver ${loaded} is loaded, SecureBoot ${secureBoot}` };
    const text = `mlx5 driver of ${target}: ${loaded} -> ${installed}, by a restart of openibd (its network links are gone for about a minute)`;
    return { kind: 'change', changes: [{ target, from: loaded, to: installed, text }] };
  },
  apply: async (context) => restart(context),
  verify: async (context) => {
    const { loaded, installed } = (await observe(context)).drivers;
    const pass = loaded === installed && loaded !== 'none';
    return [{ check: 'loaded mlx5 driver', pass, expected: installed, actual: loaded }];
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const drivers = await readDrivers(await armSession(context), context.signal);
  return { drivers, runId: context.runId };
}

async function restart(context: ApplyContext): Promise<{ readonly kind: 'done' }> {
  await restartDrivers(context);
  return { kind: 'done' };
}
