import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readCertificateInside } from '../facts/bmc-certificate.ts';
import { lookForArm } from './recover-arm.ts';

interface Observed {
  /** What it shows on the management network. */
  readonly seen: string;
  readonly pinned: string | undefined;
  /** The pin stands in the inventory, which only a person changes. */
  readonly isByHand: boolean;
  /** What it shows to its own Arm, or why that could not be read. */
  readonly inside: { readonly sha256: string } | { readonly problem: string };
}

/**
 * Pin the certificate that a BMC has made for itself after a factory reset: learnt over the link inside of the card, and
 * only if the management network shows the same one.
 *
 * Why      What shows another certificate on the network could be anybody; on the link to its own Arm there is only the
 *          card's BMC. The Arm is known by its host key.
 * Reads    TLS handshake over the network; openssl s_client on the Arm to 192.168.240.1.     Changes  the pin of dpubot.
 * Errors   bmc-cert-changed (no login on the Arm, nothing answers there, or the two differ), bmc-unreachable.
 * Source   bfb-build (vlan4040, 192.168.240.0/29); OpenBMC bmcweb: self-signed certificate at first boot.
 */
export const recoverBmcCertificate = defineStep<Record<string, never>, Observed>({
  name: 'recover-bmc-certificate',
  title: 'Learn the new BMC certificate',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({}),
  timeoutMs: 180_000,
  needs: ['host-ssh', 'bmc-pinned'],
  provides: [],
  aim: () => 'a new certificate is pinned only if the Arm of the card sees the same one on the link inside of the card',
  wanted: () => 'the certificate that the Arm of the card sees',
  observe: async (context) => {
    const { dpu, signal } = context;
    const seen = await context.bmc.fingerprint(context.card, { timeoutMs: 20_000, signal });
    const pinned = dpu.bmc.certSha256 ?? (await context.pins.get('bmc-certificate', dpu.name));
    const known = { seen, pinned, isByHand: dpu.bmc.certSha256 !== undefined };
    if (seen === pinned) return { ...known, inside: { sha256: seen } };
    const arm = await lookForArm(context);
    if (arm.state !== 'in') return { ...known, inside: { problem: `Its Arm cannot be asked: ${arm.failure.what}` } };
    const sha256 = await readCertificateInside(arm.session, signal);
    const problem = 'On the link inside of the card (192.168.240.1) nothing showed a certificate to its Arm.';
    return { ...known, inside: sha256 === undefined ? { problem } : { sha256 } };
  },
  diff: ({ seen, pinned, isByHand, inside }, _params, { name: target }) => {
    const short = `SHA-256 ${seen.slice(0, 16)}...`;
    if (seen === pinned) return { kind: 'satisfied', reason: `it is still the pinned one, ${short}` };
    const refused = (note: string) =>
      ({
        kind: 'refused',
        failure: errors.bmcCertChanged({ target, seen, pinned: pinned ?? 'none', note }).failure,
      }) as const;
    if ('problem' in inside) return refused(inside.problem);
    if (inside.sha256 !== seen) return refused(`Its own Arm sees another one: ${inside.sha256.slice(0, 16)}....`);
    if (isByHand) return refused('Its own Arm sees the same one; the old one stands in the inventory (`certSha256`).');
    const text = `BMC certificate of ${target}: ${short} is trusted from now on; its own Arm sees the same one on the link inside of the card`;
    return { kind: 'change', changes: [{ target, from: pinned ?? 'not pinned', to: seen, text }] };
  },
  apply: async (context, _changes, _params, { seen, pinned }) => {
    const text = `pin the BMC certificate ${seen.slice(0, 16)}...`;
    await context.act({ name: 'pin-certificate', text, before: pinned ?? 'none' }, async () => {
      await context.pins.set('bmc-certificate', context.dpu.name, seen, context.runId);
      context.bmc.forget(context.card);
      return { evidence: `pinned SHA-256 ${seen}, as the Arm sees it`, value: undefined };
    });
    return { kind: 'done' };
  },
  verify: async (context) => {
    const pinned = await context.pins.get('bmc-certificate', context.dpu.name);
    const seen = await context.bmc.fingerprint(context.card, { timeoutMs: 20_000, signal: context.signal });
    return [{ check: 'pinned BMC certificate', pass: pinned === seen, expected: seen, actual: pinned ?? 'none' }];
  },
});
