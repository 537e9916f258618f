import { z } from 'zod';
import type { HostReader, HostSession } from '../domain/device-ports.ts';
import { Tailscale } from '../domain/profile.ts';
import type { ApplyContext, Diff, ObserveContext, Step, StepSpec } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { TailscaleStatus } from '../facts/tailscale.ts';
import { readTailscale } from '../facts/tailscale.ts';
import { addRepository } from './apt-prepare.ts';
import { installPackages } from './apt-repository.ts';
import type { PackageRepository } from './apt-words.ts';
import { armSession } from './arm-session.ts';
import { isJoinOpen, joinTailnet, startTailscaled, tailscaleText } from './tailscale-login.ts';

/** Tailscale of the profile. `hostname`: name in the tailnet; default: name of the host, or serial of the card. */
const Params = Tailscale.extend({
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/)
    .optional(),
});
type Params = z.infer<typeof Params>;

interface Observed extends TailscaleStatus {
  readonly machine: string;
  readonly wantedName: string;
  readonly isJoinOpen: boolean;
  readonly runId: number;
}

type Place = Pick<StepSpec<Params, Observed>, 'name' | 'title' | 'scope' | 'needs'> & {
  readonly reader: (context: ObserveContext) => Promise<HostReader>;
  readonly session: (context: ApplyContext) => Promise<HostSession>;
  /** Name in the tailnet when the parameters give none. */
  readonly defaultName: (context: ObserveContext) => string;
};

/**
 * Install Tailscale from the package source of the profile, and join the tailnet.
 *
 * Why      A way in that needs no port forwarding and does not expose the OOB network.
 * Reads    tailscale status --json; for an installation dpkg, apt locks, which.
 * Changes  /etc/apt/keyrings/dpubot-tailscale.gpg, /etc/apt/sources.list.d/dpubot-tailscale.list, package tailscale,
 *          tailscaled; a new machine in the tailnet. The auth key is in a 0600 file on tmpfs while it logs in.
 * Errors   dpkg-locked, repo-key-mismatch, download-failed, package-install-failed, tailscale-login-failed,
 *          tailscale-not-approved, credential-missing, verify-mismatch.
 * Source   seed blog step 5; tailscale cmd/tailscale/cli/up.go (`file:` before a key), ipn/backend.go (states).
 */
function installTailscale({ reader, session, defaultName, ...place }: Place): Step {
  return defineStep<Params, Observed>({
    ...place,
    risk: 'change',
    params: Params,
    timeoutMs: 40 * 60_000,
    provides: [],
    aim: () => 'Tailscale installed and in the tailnet',
    wanted: ({ repository, suite, keyFingerprint, authKey, hostname }) => ({
      state: 'Running',
      source: { repository, suite, keyFingerprint },
      authKey,
      hostname: hostname ?? 'default',
    }),
    observe: async (context, params) => {
      const machine = await reader(context);
      const status = await readTailscale(machine, context.signal);
      const wantedName = params.hostname ?? defaultName(context).replace(/[^A-Za-z0-9-]+/g, '-');
      return { ...status, machine: machine.name, wantedName, isJoinOpen: isJoinOpen(context), runId: context.runId };
    },
    diff: judge,
    apply: async (context, _changes, params, observed) => {
      const machine = await session(context);
      if ((await readTailscale(machine, context.signal)).state === 'missing') await install(context, machine, params);
      await startTailscaled(context, machine);
      await joinTailnet(context, machine, { authKey: params.authKey, hostname: observed.wantedName });
      return { kind: 'done' };
    },
    verify: async (context) => {
      const { state, addresses } = await readTailscale(await reader(context), context.signal);
      const actual = addresses.length === 0 ? state : `${state} (${addresses.join(', ')})`;
      return [{ check: 'state of Tailscale', pass: state === 'Running', expected: 'Running', actual }];
    },
  });
}

/** Tailscale on the host. */
export const installTailscaleHost = installTailscale({
  name: 'install-tailscale-host',
  title: 'Tailscale on the host',
  scope: 'host',
  needs: ['host-ssh'],
  reader: (context) => Promise.resolve(context.host),
  session: (context) => Promise.resolve(context.host),
  defaultName: (context) => context.slice.name,
});

/** Tailscale on the Arm of a card (arm64 packages of the same repository). */
export const installTailscaleDpu = installTailscale({
  name: 'install-tailscale-dpu',
  title: 'Tailscale on the card',
  scope: 'dpu',
  needs: ['arm-ssh'],
  reader: (context) => armSession(context),
  session: (context) => armSession(context),
  defaultName: (context) => context.card.serial ?? context.dpu.name,
});

function judge(observed: Observed, { authKey }: Params): Diff {
  const { state, addresses, hostname, machine, wantedName, runId } = observed;
  if (state === 'Running' && observed.isJoinOpen) {
    const text = `remove the auth key that may have been left on ${machine}, which is in the tailnet`;
    return { kind: 'change', changes: [{ target: machine, from: 'key may be left', to: 'key removed', text }] };
  }
  if (state === 'Running') {
    const name = hostname === undefined ? '' : ` as ${hostname}`;
    return { kind: 'satisfied', reason: `in the tailnet${name}, ${addresses.join(', ') || 'no address yet'}` };
  }
  if (state === 'NeedsMachineAuth')
    return { kind: 'refused', failure: errors.tailscaleNotApproved({ target: machine, run: runId }).failure };
  const install = state === 'missing' ? 'install Tailscale and ' : '';
  const text =
    state === 'Stopped'
      ? `switch Tailscale on at ${machine}`
      : `${install}join the tailnet as ${wantedName} from ${machine}, with the auth key "${authKey}"`;
  return { kind: 'change', changes: [{ target: machine, from: tailscaleText(state), to: 'in the tailnet', text }] };
}

async function install(context: ApplyContext, session: HostSession, params: Params): Promise<void> {
  const repository: PackageRepository = {
    label: 'tailscale',
    url: params.repository,
    layout: `${params.suite} main`,
    keyUrl: params.keyUrl,
    keyFingerprint: params.keyFingerprint,
  };
  await addRepository(context, session, repository, []);
  const packages = ['tailscale'];
  await installPackages(context, session, repository, { name: 'install-packages', packages, limitMs: 15 * 60_000 });
}
