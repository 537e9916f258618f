import { z } from 'zod';
import type { ArmLogin } from '../domain/arm-ports.ts';
import type { CardRecord } from '../domain/device-ports.ts';
import type { Change } from '../domain/outcome.ts';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { tmfifoNamespace } from '../domain/tmfifo.ts';
import { errors, OpsError } from '../errors.ts';
import { readMachine } from '../facts/arm-machine.ts';
import { readNamespaces } from '../facts/tmfifo.ts';
import { AdoptedImage, adoptCard } from './arm-adopt.ts';
import { openArm } from './arm-open.ts';
import { armLogin, serialOf } from './arm-session.ts';
import { isErasedByRun } from './flash-under-way.ts';
import { leaveTmfifo } from './tmfifo-link.ts';

interface Params {
  readonly adopt: boolean;
  /** The image of the profile: what an adopted card is remembered to have, when its release is that of the image. */
  readonly image?: AdoptedImage | undefined;
}

interface Observed {
  /**
   * `other-key`: it shows another host key than the pinned one, as after an installation. `erased`: this run is in the middle
   * of its flash.
   */
  readonly login: ArmLogin['state'] | 'other-key' | 'erased';
  /** Type of the machine, where a login works. */
  readonly machine?: string;
  /** A namespace that keeps the tmfifo link from the host, though the card is reached at its own address. */
  readonly leftover?: string;
  readonly record: CardRecord | undefined;
}

/**
 * Get a login by key on the Arm: learn its host key over its own tmfifo link, log in, and where the key is not accepted,
 * with a password, over SSH or at the serial console; then change the password and add the key.
 *
 * Why      Everything inside the card needs it. A host key that is learnt over the network could be anybody's; the tmfifo
 *          link of the rshim at the card's PCI address can only be the card's.
 * Reads    a login, uname -m; rshim, namespaces and links of the host; ssh-keyscan over tmfifo.
 * Changes  a namespace on the host, the pin, password and authorized_keys on the Arm, credential store, escrow, card record.
 * Errors   arm-unreachable, arm-login-refused, arm-wrong-machine, ssh-host-key-changed, arm-oob-silent, rshim-not-found,
 *          tmfifo-missing, host-tool-missing, escrow-failed, outcome-unknown.
 * Source   NVIDIA BlueField BSP docs (tmfifo, default login); bfb-build (pwquality, faillock); ssh-keyscan(1), ip-netns(8).
 */
export const enrolArmLogin = defineStep<Params, Observed>({
  name: 'enrol-arm-login',
  title: 'Log in to the card',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({ adopt: z.boolean(), image: AdoptedImage.optional() }),
  timeoutMs: 1_200_000,
  needs: ['rshim'],
  provides: ['arm-ssh'],
  aim: () => 'a login by key on its Arm, with the host key learnt over its tmfifo link',
  wanted: ({ adopt }) => ({ login: 'by key', machine: 'aarch64', adopt }),
  observe: observeLogin,
  diff: (observed, params, dpu) => judge(observed, params, dpu.name),
  apply: async (context, _changes, params, observed) => {
    const opened = observed.login === 'in' ? undefined : await openArm(context);
    if (opened?.kind === 'waiting') return opened;
    if (observed.leftover !== undefined) await leaveTmfifo(context, observed.leftover);
    if (params.adopt) await adoptCard(context, params.image, opened?.session);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { login, machine = 'not known', leftover } = await observeLogin(context);
    const link = leftover === undefined ? 'not left over' : `still in ${leftover}`;
    return [
      { check: 'login by key', pass: login === 'in', expected: 'in', actual: login },
      { check: 'machine', pass: machine === 'aarch64', expected: 'aarch64', actual: machine },
      { check: 'tmfifo link', pass: leftover === undefined, expected: 'not left over', actual: link },
    ];
  },
});

async function observeLogin(context: ObserveContext): Promise<Observed> {
  const record = await context.records.get(serialOf(context));
  if (isErasedByRun(context)) return { login: 'erased', record };
  try {
    const login = await armLogin(context);
    if (login.state === 'in') {
      const machine = await readMachine(login.session, context.signal);
      return { login: 'in', machine, record, ...(await leftoverOf(context)) };
    }
    const isOtherKey = login.state === 'unreachable' && login.failure.code === 'ssh-host-key-changed';
    return { login: isOtherKey ? 'other-key' : login.state, record };
  } catch (error) {
    // The key is looked at over the card's own link in `apply`, where its reason can be told.
    if (error instanceof OpsError && error.code === 'ssh-host-key-changed') return { login: 'other-key', record };
    throw error;
  }
}

/** After a worker died, or a cable was plugged in later. Without an address of its own the namespace is the way to the card. */
async function leftoverOf({ dpu, host, signal }: ObserveContext): Promise<Pick<Observed, 'leftover'>> {
  const leftover = tmfifoNamespace(dpu.name);
  return dpu.arm !== undefined && (await readNamespaces(host, signal)).includes(leftover) ? { leftover } : {};
}

function judge({ login, machine, record, leftover }: Observed, { adopt }: Params, target: string): Diff {
  const isOurs = record?.origin === 'flashed' || record?.origin === 'adopted';
  const adoption = {
    target,
    from: 'set up by hand',
    to: 'adopted',
    text: `${target} is taken over as it is, and remembered so`,
  };
  if (login === 'in') {
    if (machine !== 'aarch64') {
      const failure = errors.armWrongMachine({ target, machine: machine ?? 'not known', via: 'SSH' }).failure;
      return { kind: 'refused', failure };
    }
    const changes = [...givenBack(target, leftover), ...(adopt && !isOurs ? [adoption] : [])];
    if (changes.length > 0) return { kind: 'change', changes };
    return { kind: 'satisfied', reason: 'a login by key works, on an aarch64 machine' };
  }
  if (login === 'erased')
    return { kind: 'satisfied', reason: `${target} is being flashed; a login is looked for again afterwards` };
  const from = {
    unpinned: 'host key not known',
    'other-key': 'another host key than the pinned one',
    refused: 'key not accepted',
    unreachable: 'not reached',
  }[login];
  const text = `Arm of ${target}: ${from} -> login by key, host key learnt over its tmfifo link`;
  const change = { target, from, to: 'login by key', text };
  return { kind: 'change', changes: adopt && !isOurs ? [change, adoption] : [change] };
}

function givenBack(target: string, namespace: string | undefined): readonly Change[] {
  if (namespace === undefined) return [];
  const text = `tmfifo link of ${target} goes back to its host, out of the namespace ${namespace} that was left there`;
  return [{ target, from: `in ${namespace}`, to: 'with the host', text }];
}
