import type { Condition } from '../domain/bench.ts';
import type { End, ObserveContext } from '../domain/step.ts';
import { readGovernor } from '../facts/cpu-governor.ts';
import { readNumaNode } from '../facts/hugepages.ts';
import { readNumaNodes } from '../facts/numa-nodes.ts';
import type { Attempt } from './measure-conditions-card.ts';
import type { EndFacts } from './measure-ends.ts';
import { readCpus } from './measure-ends.ts';

const unknown = 'unknown';

/** Tools are pinned to the CPUs that the machine calls near. Whether these are near is another fact. */
export async function cpuConditions(
  context: ObserveContext,
  end: End,
  facts: EndFacts,
  attempt: Attempt,
): Promise<readonly Condition[]> {
  const { host, name } = end;
  const { signal } = context;
  const node = await attempt(async () => readNumaNode(host, facts.pciFunction, signal));
  const cpus = (await attempt(async () => readCpus(end, facts, signal))) ?? [];
  const nodes = await attempt(async () => readNumaNodes(host, signal));
  const [first] = cpus;
  const own = node === undefined ? undefined : nodes?.get(node);
  const far = own === undefined ? [] : cpus.filter((cpu) => !own.includes(cpu));
  const warning = `${far.length === cpus.length ? 'it is' : `CPUs ${rangesText(far)} are`} on another NUMA node than the card: each packet crosses to the other socket, and a part of the rate is lost there`;
  const governor = first === undefined ? undefined : await attempt(async () => governorOf(end, first, signal));
  return [
    {
      end: name,
      name: 'numa-node',
      label: 'NUMA node of the card',
      value: node === undefined ? unknown : String(node),
    },
    {
      end: name,
      name: 'tool-cpus',
      label: 'CPU set of the tool',
      value: cpus.length === 0 ? unknown : rangesText(cpus),
      ...(far.length > 0 && { warning }),
    },
    governorCondition(end, governor ?? unknown),
  ];
}

async function governorOf({ host }: End, cpu: number, signal: AbortSignal): Promise<string> {
  return (await readGovernor(host, cpu, signal)) ?? 'none';
}

function governorCondition({ name, slice }: End, value: string): Condition {
  const isSlow = !['performance', 'none', unknown].includes(value) && !slice.testbed;
  const warning = 'cores do not stay at their full clock, which costs packet rate; `performance` keeps them there';
  return { end: name, name: 'governor', label: 'CPU governor', value, ...(isSlow && { warning }) };
}

/** "0-15,32". */
function rangesText(cpus: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const cpu of cpus) {
    const last = parts.at(-1);
    if (last?.[1] === cpu - 1) last[1] = cpu;
    else parts.push([cpu, cpu]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
