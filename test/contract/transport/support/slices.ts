import type { CallOptions, CardRef } from '../../../../src/domain/device-ports.ts';
import { OpsError } from '../../../../src/errors.ts';
import { DpuEntry, type HostSlice, Profile, type SshEndpoint } from '../../../../src/domain/inventory.ts';

/** Limit of an ordinary call in these tests. */
export const call: CallOptions = { timeoutMs: 10_000 };

const noSsh: SshEndpoint = {
  address: '127.0.0.1',
  port: 1,
  user: 'ops',
  key: 'ssh-ops',
  hostKeys: [`SHA256:${'A'.repeat(43)}`],
};

/** A host of a simulated site with one card. */
export function sliceFor(parts: {
  readonly ssh?: SshEndpoint;
  readonly jump?: SshEndpoint;
  readonly bmc?: Partial<DpuEntry['bmc']>;
  readonly simulated?: boolean;
}): HostSlice {
  const ssh = parts.jump === undefined ? (parts.ssh ?? noSsh) : { ...(parts.ssh ?? noSsh), jump: 'gate' };
  const dpu = DpuEntry.parse({ name: 'host-01-dpu0', bmc: { address: '127.0.0.1', port: 1, ...parts.bmc } });
  return {
    name: 'host-01',
    site: 'lab',
    simulated: parts.simulated ?? true,
    recipient: `age1${'q'.repeat(30)}`,
    entry: { site: 'lab', rack: 'rack1', ssh, dpus: [dpu], profile: 'default' },
    profiles: { [dpu.name]: Profile.parse({}) },
    hostProfile: Profile.parse({}),
    images: {},
    ...(parts.jump && { jump: parts.jump }),
  };
}

/** The card of such a host. */
export function cardOf(slice: HostSlice, serial?: string): CardRef {
  const [dpu] = slice.entry.dpus;
  if (dpu === undefined) throw new Error('the slice has no card');
  return { slice, dpu, ...(serial !== undefined && { serial }) };
}

/** The code of the OpsError a promise is rejected with; fails when it is not rejected. */
export async function failureOfCall(promise: Promise<unknown>): Promise<{ code: string; text: string; state: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const { what, why, next, deviceState, evidence } = error.failure;
    const cause = error.cause instanceof Error ? (error.cause.stack ?? '') : '';
    return { code: error.code, text: [what, why, next, evidence, cause, error.stack].join('\n'), state: deviceState };
  }
  throw new Error('the call succeeded');
}
