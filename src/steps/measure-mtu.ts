import type { BenchKind } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { setPathMtu } from './bench-mtu.ts';
import { isRouted } from './bench-topology.ts';
import { checkPath } from './check-path.ts';
import { pairOf } from './measure-ends.ts';

/** Sets the MTU of the path and sends packets of that size both ways. Errors: path-mtu, path-dead, and those of setting it. */
export async function setProvenMtu(context: ApplyContext, mtuBytes: number, kind: BenchKind): Promise<void> {
  await setPathMtu(context, mtuBytes, kind === 'ipsec');
  const { profile } = pairOf(context).ends[0];
  const params = { mtuBytes, routed: isRouted(kind, profile), ipsec: kind === 'ipsec' };
  const diff = checkPath.diff(await checkPath.observe(context, params), params, context.dpu);
  if (diff.kind === 'refused') throw new OpsError(diff.failure);
}
