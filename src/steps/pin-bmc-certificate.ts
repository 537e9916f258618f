import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';

interface Observed {
  readonly target: string;
  readonly seen: string;
  readonly pinned: string | undefined;
}

/**
 * Pin the certificate that the card's BMC shows, once a person has approved its fingerprint.
 *
 * Why      The certificate is self-signed; until it is pinned only the factory password may be sent to that address.
 * Reads    TLS handshake with the BMC (no request is sent).     Changes  the pin store of dpubot, nothing on the card.
 * Errors   bmc-cert-changed, bmc-unreachable, bmc-address-auto.
 * Source   OpenBMC bmcweb: self-signed certificate at first boot.
 */
export const pinBmcCertificate = defineStep<Record<string, never>, Observed>({
  name: 'pin-bmc-certificate',
  title: 'Pin the BMC certificate',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({}),
  timeoutMs: 60_000,
  needs: ['host-ssh'],
  provides: ['bmc-pinned'],
  wanted: () => 'pinned',
  observe: async (context) => ({
    target: context.dpu.name,
    seen: await context.bmc.fingerprint(context.card, { timeoutMs: 20_000, signal: context.signal }),
    pinned: context.dpu.bmc.certSha256 ?? (await context.pins.get('bmc-certificate', context.dpu.name)),
  }),
  diff: ({ target, seen, pinned }) => {
    if (pinned === seen) return { kind: 'satisfied', reason: `pinned to SHA-256 ${seen.slice(0, 16)}...` };
    if (pinned !== undefined)
      return { kind: 'refused', failure: errors.bmcCertChanged({ target, seen, pinned }).failure };
    return {
      kind: 'change',
      changes: [
        {
          target,
          from: 'not pinned',
          to: seen,
          text: `BMC certificate of ${target} will be trusted from now on: SHA-256 ${seen.slice(0, 16)}...`,
        },
      ],
      pins: [{ target, kind: 'bmc-certificate', sha256: seen }],
      present: seen,
    };
  },
  apply: async (context, changes) => {
    const sha256 = changes[0]?.to ?? '';
    await context.act(
      { name: 'pin-certificate', text: `pin the BMC certificate ${sha256.slice(0, 16)}...`, before: 'not pinned' },
      async () => {
        await context.pins.set('bmc-certificate', context.dpu.name, sha256, context.runId);
        return { evidence: `pinned SHA-256 ${sha256}`, value: undefined };
      },
    );
    return { kind: 'done' };
  },
  verify: async (context) => {
    const pinned = await context.pins.get('bmc-certificate', context.dpu.name);
    const seen = await context.bmc.fingerprint(context.card, { timeoutMs: 20_000, signal: context.signal });
    return [{ check: 'pinned BMC certificate', pass: pinned === seen, expected: seen, actual: pinned ?? 'none' }];
  },
});
