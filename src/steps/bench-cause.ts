import { findSku } from '../domain/part-numbers.ts';
import type { Proof } from '../domain/bench.ts';
import type { OvsDaemon } from '../facts/ovs-daemon.ts';
import type { CardSight, CauseSight, FlowSight, SaSight, Wanted } from './bench-proof-sight.ts';
import { valueOf } from './bench-proof-sight.ts';

/** One card on which a check has failed. */
export interface FailedCard {
  readonly sight: CardSight;
  readonly facts: CauseSight;
  readonly wanted: Wanted;
  readonly checks: Proof['checks'];
}

/** Stands for the names of the cards in the sentences below: cards with the same cause share one. */
const there = '{cards}';

/** Pure: the likely cause, from what was seen alone; undefined where that explains nothing. */
export function causeOf(failed: readonly FailedCard[]): string | undefined {
  const cards = new Map<string, string[]>();
  for (const one of failed) {
    const cause = causeOn(one);
    if (cause !== undefined) cards.set(cause, [...(cards.get(cause) ?? []), one.sight.card]);
  }
  const texts = [...cards].map(([cause, names]) => cause.replaceAll(there, names.join(' and ')));
  return texts.length === 0 ? undefined : texts.join('; ');
}

/** What is nearest to the wire comes first: without associations no flow can be right. */
function causeOn(failed: FailedCard): string | undefined {
  const { sight, facts, wanted, checks } = failed;
  const hasFailed = (begin: string): boolean =>
    checks.some(({ label, pass }) => pass === false && label.startsWith(begin));
  if (hasFailed('IPsec associations')) return saCause(valueOf(sight.traffic.sas), facts, wanted);
  if (hasFailed('IPsec counters'))
    return `the associations on ${there} are offloaded, and its counters did not rise with the traffic: it goes past them`;
  if (hasFailed('Flows')) return flowCause(valueOf(sight.traffic.flows), facts, wanted);
  if (!hasFailed('Arm CPUs')) return undefined;
  return wanted.isRouted
    ? `the kernel of the Arm forwards each packet on ${there}, because in tunnel mode the cards route`
    : `the flows are in the hardware, and the Arm on ${there} is busy all the same: something else runs there, or packets come past the flows`;
}

function saCause(sas: SaSight | undefined, facts: CauseSight, { ipsec }: Wanted): string | undefined {
  if (sas === undefined) return undefined;
  const { packet, crypto, unnamed, none } = sas;
  const partNumber = valueOf(facts.partNumber);
  if (partNumber !== undefined && findSku(partNumber)?.crypto === false)
    return `the card on ${there} has no crypto engines (${partNumber})`;
  if (packet + crypto + unnamed + none === 0) return noSaCause(valueOf(facts.installed));
  if (ipsec === 'no')
    return `kernel ESP on ${there}, as the profile wants it (\`offload: no\`); no association is offloaded`;
  if (ipsec === 'crypto' && none === 0)
    return `the profile wants \`offload: crypto\` on ${there}: the card encrypts, and the Arm handles each packet`;
  const fallen = crypto > 0 ? 'only encrypts (mode crypto)' : 'does nothing for associations of ours';
  const mode = valueOf(facts.mode);
  const lacks = [
    ...(mode?.steering === 'smfs' ? ['its steering is smfs where packet offload needs dmfs'] : []),
    ...(mode?.ipsec === undefined || mode.ipsec === 'full' ? [] : [`its ipsec_mode is ${mode.ipsec}, not full`]),
  ];
  return [`strongSwan fell back on ${there}: the card ${fallen}`, ...lacks].join(', and ');
}

/** Traffic gets through, and the kernel has no association for it. */
function noSaCause(installed: number | undefined): string {
  if (installed === 0)
    return `neither strongSwan nor the kernel has an association in use on ${there}: what gets through is not encrypted`;
  const said = installed === undefined ? 'traffic gets through' : `strongSwan has ${installed} INSTALLED`;
  return `user-space ESP on ${there}: ${said}, and the kernel has no association, so strongSwan encrypts itself (kernel-libipsec); no packet of it reaches the card's engines`;
}

function flowCause(flows: FlowSight | undefined, facts: CauseSight, { hwOffload }: Wanted): string | undefined {
  if (valueOf(facts.eswitch)?.mode === 'legacy')
    return `the switch of the card is in legacy mode on ${there}, and flows can be offloaded in switchdev mode only`;
  const setting = valueOf(facts.setting);
  if (setting?.hwOffload === false)
    return `hw-offload of Open vSwitch is off on ${there}${hwOffload === false ? ', as the profile wants it' : ''}: each packet goes through the Arm`;
  if (flows === undefined) return undefined;
  if (flows.counts.partial > 0 && flows.counts.software === 0)
    return `Open vSwitch on ${there} does a part of the actions in software (offloaded:partial)`;
  if (setting === undefined) return undefined;
  const restarted = wasRestarted(valueOf(facts.daemon));
  const own = flows.softwareLayers.every((layer) => layer === 'ovs');
  if (restarted === false || (restarted === undefined && own && !setting.docaInit))
    return `Open vSwitch on ${there} was not restarted since hw-offload was set, and reads it when it starts`;
  return own
    ? `Open vSwitch on ${there} has not handed these flows to the hardware, although hw-offload is on: their actions, or a link among them, cannot be offloaded`
    : `the flows on ${there} are in the kernel's tc and not in the hardware: tc-policy keeps them there, or the card refuses them`;
}

/** Undefined: one of both moments is not known. */
function wasRestarted(daemon: OvsDaemon | undefined): boolean | undefined {
  const { startedAtMs, offloadSetAtMs } = daemon ?? {};
  return startedAtMs === undefined || offloadSetAtMs === undefined ? undefined : startedAtMs >= offloadSetAtMs;
}
