import { z } from 'zod';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { IpsecMode } from '../facts/ipsec-mode.ts';
import { isFullOffload, readBootSettings, readIpsecMode, withFullOffload } from '../facts/ipsec-mode.ts';
import { armSession } from './arm-session.ts';
import { configureCard } from './ipsec-mode-apply.ts';
import { writeRootFile } from './remote.ts';

const Params = z.strictObject({ uplinks: z.array(z.enum(['p0', 'p1'])).min(1) });
type Params = z.infer<typeof Params>;

interface Observed {
  /** Undefined: the image has no such file. */
  readonly settings: string | undefined;
  readonly modes: readonly (IpsecMode & { readonly uplink: string })[];
}

const path = '/etc/mellanox/mlnx-bf.conf';

/**
 * Have the card set up its switch for full IPsec offload, now and at every boot.
 *
 * Why      Older images offload IPsec with steering dmfs only, and their boot service sets smfs again unless its key says
 *          otherwise: what is set by hand is gone after a boot.
 * Reads    /etc/mellanox/mlnx-bf.conf, /sys/class/net/<uplink>/compat/devlink, else devlink dev param (Arm).
 * Changes  IPSEC_FULL_OFFLOAD="yes" in that file (one key, the rest stays); mlnx_bf_configure (Arm): it stops strongSwan,
 *          takes the switch to legacy mode and back, and starts services again. Stays; a bench does not undo it.
 * Errors   ipsec-mode-refused, card-file-missing, command-failed, outcome-unknown.
 * Source   mlnx-tools, mlnx_bf_configure; NVIDIA BlueField docs, IPsec full offload.
 */
export const setIpsecMode = defineStep<Params, Observed>({
  name: 'set-ipsec-mode',
  title: 'Set full IPsec offload',
  scope: 'dpu',
  risk: 'disruptive',
  params: Params,
  timeoutMs: 900_000,
  needs: ['arm-ssh', 'drivers'],
  provides: [],
  aim: () => `IPSEC_FULL_OFFLOAD on, steering dmfs`,
  wanted: (params) => params,
  observe,
  diff: (observed, _params, { name: target }) => judge(observed, target),
  apply: async (context, _changes, _params, { settings = '' }) => {
    const arm = await armSession(context);
    if (!isFullOffload(settings)) {
      const act = { name: 'ipsec-key', text: `IPSEC_FULL_OFFLOAD="yes" in ${path}`, before: 'not set' };
      await context.act(act, async () => {
        const content = withFullOffload((await readBootSettings(arm, context.signal)) ?? '');
        await writeRootFile(arm, { path, mode: '644', content }, { signal: context.signal });
        return { evidence: path, value: undefined };
      });
    }
    await configureCard(context);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const { settings, modes } = await observe(context, params);
    const key = settings !== undefined && isFullOffload(settings);
    const kept = { check: path, pass: key, expected: 'IPSEC_FULL_OFFLOAD on', actual: key ? 'on' : 'off' };
    return [
      kept,
      ...modes.map((mode) => ({
        check: `steering of ${mode.uplink}`,
        pass: !isWrong(mode),
        expected: 'dmfs',
        actual: mode.steering,
      })),
    ];
  },
});

async function observe(context: ObserveContext, { uplinks }: Params): Promise<Observed> {
  const arm = await armSession(context);
  const settings = await readBootSettings(arm, context.signal);
  const modes: (IpsecMode & { uplink: string })[] = [];
  for (const uplink of uplinks) modes.push({ uplink, ...(await readIpsecMode(arm, uplink, context.signal)) });
  return { settings, modes };
}

/** Where the driver does not tell, the key alone counts. */
function isWrong({ steering, ipsec }: IpsecMode): boolean {
  return steering === 'smfs' || (ipsec !== undefined && ipsec !== 'full');
}

function judge({ settings, modes }: Observed, target: string): Diff {
  if (settings === undefined) return { kind: 'refused', failure: errors.cardFileMissing({ target, path }).failure };
  const isKept = isFullOffload(settings);
  const text = modes
    .map(({ uplink, steering, ipsec }) => `${uplink} ${steering}${ipsec ? `, ipsec ${ipsec}` : ''}`)
    .join('; ');
  if (isKept && !modes.some(isWrong)) return { kind: 'satisfied', reason: `IPSEC_FULL_OFFLOAD is on, ${text}` };
  const from = `IPSEC_FULL_OFFLOAD ${isKept ? 'on' : 'off'}, ${text}`;
  const cost =
    'strongSwan is stopped, and host and Arm have no network through the card until mlnx_bf_configure is done';
  const to = 'IPSEC_FULL_OFFLOAD on, dmfs';
  return { kind: 'change', changes: [{ target, from, to, text: `${target}: ${from} -> ${to}; ${cost}` }] };
}
