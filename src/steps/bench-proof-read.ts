import type { BenchPoint } from '../domain/bench.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { End, ObserveContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { readCpuTimes } from '../facts/cpu-load.ts';
import { readEswitch } from '../facts/eswitch.ts';
import { readIpsecMode } from '../facts/ipsec-mode.ts';
import { readIpsecSas } from '../facts/ipsec-sas.ts';
import { readOvsOffload } from '../facts/ovs-bridges.ts';
import { readOvsDaemon } from '../facts/ovs-daemon.ts';
import { readFlows } from '../facts/ovs-flows.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { readPortCounters } from '../facts/port-counters.ts';
import { readStrongswan } from '../facts/swanctl.ts';
import { armSession } from './arm-session.ts';
import type { CauseSight, CounterSight, Seen, TrafficSight } from './bench-proof-sight.ts';
import { flowSight, saSight } from './bench-proof-sight.ts';
import { addressOf, isRouted } from './bench-topology.ts';
import { connectionName } from './ipsec-conf.ts';
import { pairName, pairOf } from './measure-ends.ts';

/** What an end's card has counted by now. */
export async function countersOf(context: ObserveContext, end: End): Promise<CounterSight> {
  const { signal } = context;
  return {
    cpus: await seeOn(context, end, async (arm) => readCpuTimes(arm, signal)),
    port: await seeOn(context, end, async (arm) => readPortCounters(arm, end.entry.port, signal)),
  };
}

/** What an end's card does with the packets of the hosts. Flows first: they are what goes away. */
export async function trafficOf(
  context: ObserveContext,
  end: End,
  { kind }: BenchPoint,
  macs: readonly string[],
): Promise<TrafficSight> {
  const { signal } = context;
  const readTraffic = async (arm: HostReader): Promise<ReturnType<typeof flowSight>> =>
    flowSight(await readFlows(arm, signal), macs);
  const flows = isRouted(kind, end.profile) ? undefined : await seeOn(context, end, readTraffic);
  const addresses = pairOf(context).ends.flatMap(({ entry }) =>
    entry.wireAddress ? [addressOf(entry.wireAddress)] : [],
  );
  const sas =
    kind === 'raw'
      ? undefined
      : await seeOn(context, end, async (arm) => saSight(await readIpsecSas(arm, signal), addresses));
  return { ...(flows && { flows: known(flows, 'no flow of the measured traffic was there') }), ...(sas && { sas }) };
}

function known<T>(seen: Seen<T | undefined>, why: string): Seen<T> {
  if ('unread' in seen) return seen;
  return seen.value === undefined ? { unread: why } : { value: seen.value };
}

/** What may explain that the hardware of an end does not do it. */
export async function causeFacts(context: ObserveContext, end: End, { kind }: BenchPoint): Promise<CauseSight> {
  const { signal } = context;
  return {
    setting: await seeOn(context, end, async (arm) => readOvsOffload(arm, signal)),
    daemon: await seeOn(context, end, async (arm) => readOvsDaemon(arm, signal)),
    eswitch: await seeOn(context, end, async (arm) => readEswitch(arm, end.entry.port, signal)),
    partNumber: known(
      await see(context, async () => partNumberOf(end, signal)),
      'the card was not among those of its host',
    ),
    ...(kind === 'ipsec' && {
      mode: await seeOn(context, end, async (arm) => readIpsecMode(arm, end.entry.port, signal)),
      installed: await seeOn(context, end, async (arm) => installedOn(arm, pairName(context), signal)),
    }),
  };
}

/** Associations that strongSwan has in use for a pair, in the kernel or in its own hands. */
async function installedOn(arm: HostReader, pair: string, signal: AbortSignal): Promise<number> {
  const own = (await readStrongswan(arm, signal))?.sas.filter(({ name }) => name === connectionName(pair)) ?? [];
  return own.flatMap(({ children }) => children).filter(({ state }) => state === 'INSTALLED').length;
}

async function partNumberOf({ host, card, dpu }: End, signal: AbortSignal): Promise<string | undefined> {
  const cards = await readPciCards(host, signal);
  const { serial = dpu.serial } = card;
  return (serial === undefined && cards.length === 1 ? cards[0] : cards.find((one) => one.serial === serial))
    ?.partNumber;
}

async function seeOn<T>(
  context: ObserveContext,
  { card, dpu, profile }: End,
  read: (arm: HostReader) => Promise<T>,
): Promise<Seen<T>> {
  return see(context, async () => read(await armSession({ ...context, card, dpu, profile })));
}

/** Whatever a device does not tell is no proof, and no reason to stop. A run that is being stopped is another matter. */
async function see<T>({ signal }: ObserveContext, read: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof OpsError) || error.failure.kind === 'bug' || signal.aborted) throw error;
    return { unread: error.failure.what };
  }
}
