import { z } from 'zod';
import type { CardRecord } from '../domain/device-ports.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { BmcLan } from '../facts/bmc-lan.ts';
import { readBmcLan } from '../facts/bmc-lan.ts';
import { loadIpmi } from './arm-ipmi.ts';
import { armSession, serialOf } from './arm-session.ts';
import { isErasedByRun } from './flash-under-way.ts';

interface Observed {
  /** `erased`: this run is in the middle of the flash of the Arm that would be asked. */
  readonly lan: BmcLan | { readonly state: 'erased' };
  readonly record: CardRecord | undefined;
  readonly runId: number;
}

/**
 * Ask the card's BMC for its address, over its Arm, and remember it by serial number.
 *
 * Why      A BMC with a DHCP lease may be anywhere; the inventory says `auto` then. Whether the address that was found
 *          belongs to this card is proven later, by the serial number behind it.
 * Reads    ipmitool -I open lan print 1 (Arm).
 * Changes  loads ipmi_devintf, also at each boot (never ipmi_si, which hangs there); the card record.
 * Errors   bmc-lan-no-address, output-unreadable, sudo-refused.
 * Source   seed blog step 1; ipmitool(1); field notes on ipmi_si; the IPMI device of the Arm is ipmb_host.
 */
export const findBmcAddress = defineStep<Record<string, never>, Observed>({
  name: 'find-bmc-address',
  title: 'Find the BMC',
  scope: 'dpu',
  risk: 'change',
  params: z.strictObject({}),
  timeoutMs: 180_000,
  needs: ['arm-ssh'],
  provides: ['bmc-address'],
  aim: () => 'the address of its BMC, asked over its Arm',
  wanted: () => 'the address that the BMC has now',
  observe,
  diff: ({ lan, record, runId }, _params, { name: target }) => {
    const known = record?.bmcAddress;
    if (lan.state === 'erased')
      return known === undefined
        ? { kind: 'refused', failure: errors.bmcAddressAuto({ target }).failure }
        : { kind: 'satisfied', reason: `the BMC is at ${known}, as remembered; ${target} is being flashed` };
    if (lan.state === 'no-lease')
      return { kind: 'refused', failure: errors.bmcLanNoAddress({ target, run: runId }).failure };
    if (lan.state === 'address' && lan.address === known)
      return { kind: 'satisfied', reason: `the BMC is at ${known}, as remembered` };
    const from = known ?? 'not known';
    const to = lan.state === 'address' ? lan.address : 'asked over the Arm';
    return {
      kind: 'change',
      changes: [{ target, from, to, text: `address of the BMC of ${target}: ${from} -> ${to}` }],
    };
  },
  apply: async (context, _changes, _params, observed) => {
    const address = await findAddress(context, observed.lan);
    await context.act(
      { name: 'keep-address', text: `remember ${address} for the BMC`, before: observed.record?.bmcAddress ?? 'none' },
      async () => {
        await keepAddress(context, address);
        return { evidence: address, value: undefined };
      },
    );
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { lan, record } = await observe(context);
    const actual = lan.state === 'address' ? lan.address : lan.state;
    const expected = record?.bmcAddress ?? 'none remembered';
    return [{ check: 'address of the BMC', pass: actual === expected, expected, actual }];
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const lan = isErasedByRun(context)
    ? ({ state: 'erased' } as const)
    : await readBmcLan(await armSession(context), context.signal);
  return { lan, record: await context.records.get(serialOf(context)), runId: context.runId };
}

async function findAddress(context: ApplyContext, lan: Observed['lan']): Promise<string> {
  const after = lan.state === 'no-driver' ? await loadIpmi(context, await armSession(context)) : lan;
  if (after.state === 'address') return after.address;
  throw errors.bmcLanNoAddress({ target: context.dpu.name, run: context.runId });
}

/** A record that is there is kept; a card nobody has flashed or adopted yet gets one that claims nothing. */
async function keepAddress(context: ApplyContext, bmcAddress: string): Promise<void> {
  const serial = serialOf(context);
  const record = await context.records.get(serial);
  const { runId } = context;
  const fresh: CardRecord = { origin: 'unknown', runId, atMs: context.clock.nowMs() };
  await context.records.put(serial, { ...(record ?? fresh), bmcAddress });
}
