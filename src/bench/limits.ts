import type { Condition, Series } from '../domain/bench.ts';
import { findSku, pcieGbps, pcieText } from '../domain/part-numbers.ts';
import { directionText } from './point-text.ts';
import { figureText, rateText } from './rate-text.ts';
import { layer1Gbps } from './rates.ts';
import { settingGroups } from './result-line.ts';

/** One reason why a rate is below what the line carries. */
export interface Limit {
  readonly text: string;
  /** Name of the condition that says the same, and need not be told beside it. */
  readonly about?: string;
  /** No more gets through: where it was reached, nothing else has to be looked for. */
  readonly mostGbps?: number;
}

/** What was measured on which machines. */
export interface LimitFacts {
  readonly cards: readonly [string, string];
  readonly conditions: readonly Condition[];
  readonly series: readonly Series[];
  /** Undefined: not known, and nothing is said. */
  readonly lineRateGbps: number | undefined;
}

/** Above it nothing is wrong: the rest is headers, gaps between frames and chance. */
const goodShares = { testpmd: 0.93, iperf3: 0.88, ipsec: 0.85 } as const;
/** Of the raw rate of a PCIe link, after headers of its packets. Source: PCI Express Base Specification, transaction layer. */
const pcieShare = 0.85;
/** What is known of IPsec on a card of this kind, and of cards that are controllers. Source: field report of the B3240. */
const cryptoGbps = 193;
const controllerGbps = 100;
/** One connection is the work of one core. Source: esnet, iperf3; what current servers reach with jumbo frames. */
const streamGbps = 40;
/** What one core sends with testpmd. Source: reports for mlx5 (187 million packets a second with 23 cores). */
const queueMpps = 10;
const jumboBytes = 9_000;
const nearlyJumboBytes = 8_000;
const smallFrameBytes = 1_024;

/**
 * Why the best setting is slower than the line, the most important reason first: only what was seen on the machines. Nothing
 * where it is as fast as the line lets it be, or the rate of the line is not known.
 */
export function limitsOf(facts: LimitFacts): readonly Limit[] {
  const { lineRateGbps, series, conditions } = facts;
  const [best] = settingGroups({ series });
  if (best === undefined || lineRateGbps === undefined) return [];
  const slow = best.series.filter((one) => isSlow(one, lineRateGbps));
  const [first] = slow.toSorted((a, b) => a.summary.medianGbps - b.summary.medianGbps);
  if (first === undefined) return [];
  const reachGbps = first.point.kind === 'ipsec' ? Math.min(lineRateGbps, cryptoGbps) : lineRateGbps;
  const reasons = [
    ...offloadLimit(slow),
    ...cryptoLimit(slow, lineRateGbps),
    ...conditions.flatMap((condition) => conditionLimit(condition, facts, reachGbps)),
    ...streamLimit(first, reachGbps),
    ...sizeLimit(first, reachGbps),
  ];
  const enough = reasons.findIndex(({ mostGbps = Infinity }) => first.summary.medianGbps >= mostGbps * 0.85);
  if (enough !== -1) return reasons.slice(0, enough + 1);
  if (reasons.length > 0) return reasons;
  const which = slow.map(({ point }) => directionText(facts.cards, point.direction)).join(' and ');
  const text = `The rate ${which} is below what the line carries, and nothing that was looked at explains it: look at the links (\`/dpu diag CARD links\`) and at what else runs on the hosts`;
  return [{ text }];
}

function isSlow({ summary, point: { kind, tool } }: Series, lineRateGbps: number): boolean {
  const share = (summary.layer1Gbps ?? summary.medianGbps) / lineRateGbps;
  return share < (kind === 'ipsec' ? goodShares.ipsec : goodShares[tool]);
}

/** Beside it no other reason counts. */
function offloadLimit(slow: readonly Series[]): readonly Limit[] {
  if (slow.every(({ proof }) => proof.verdict === 'offloaded' || proof.verdict === 'unknown')) return [];
  const text = 'Without offload each packet goes through the Arm cores: some Gb/s a core, whatever the line carries';
  return [{ text, mostGbps: 0 }];
}

/** The engines encrypt less than the fastest lines carry: that is no fault of anybody. */
function cryptoLimit(slow: readonly Series[], lineRateGbps: number): readonly Limit[] {
  const isCeiling = slow.every(
    ({ point, proof, summary }) =>
      point.kind === 'ipsec' && proof.verdict === 'offloaded' && summary.medianGbps >= cryptoGbps * goodShares.ipsec,
  );
  if (!isCeiling || lineRateGbps <= cryptoGbps) return [];
  const text = `IPsec is as fast as the engines of such a card are known to be (two B3240 have reached ${cryptoGbps} Gb/s): this is no fault`;
  return [{ text, mostGbps: cryptoGbps }];
}

/** What a card, its slot or its place in the machine costs. */
function conditionLimit(condition: Condition, { cards }: LimitFacts, reachGbps: number): readonly Limit[] {
  const { name, end, value, label, warning } = condition;
  const card = cards[end === 'b' ? 1 : 0];
  switch (name) {
    case 'part-number': {
      if (findSku(value)?.class !== 'controller' || reachGbps <= controllerGbps) return [];
      const text = `${card} is a self-hosted controller (${value}): about ${controllerGbps} Gb/s is the most that was seen with such a card`;
      return [{ text, mostGbps: controllerGbps }];
    }
    case 'pcie-link': {
      const [, gtPerS, width] = /^([\d.]+) GT\/s x(\d+)$/.exec(value) ?? [];
      if (gtPerS === undefined || width === undefined) return [];
      const link = { gtPerS: Number(gtPerS), width: Number(width) };
      const mostGbps = pcieGbps(link) * pcieShare;
      if (mostGbps >= reachGbps) return [];
      const text = `The PCIe link of ${card} is ${pcieText(link)}: about ${mostGbps.toFixed(0)} Gb/s get through it, and ${reachGbps.toFixed(0)} Gb/s would over the line`;
      return [{ text, about: name, mostGbps }];
    }
    case 'tool-cpus':
      return warning === undefined ? [] : [{ text: `${label} (${end}) is ${value}: ${warning}`, about: name }];
    default:
      return [];
  }
}

function streamLimit({ point, summary }: Series, reachGbps: number): readonly Limit[] {
  const { streams, tool, frameBytes } = point;
  const oneGbps = tool === 'iperf3' ? streamGbps : layer1Gbps(queueMpps * 1e6, frameBytes ?? jumboBytes);
  const enough = Math.ceil(reachGbps / oneGbps);
  if (streams >= enough) return [];
  const work = tool === 'iperf3' ? 'one TCP connection, the work of one core' : 'one queue with one core';
  const each = rateText(summary.medianGbps / streams);
  const told = streams === 1 ? `It was one stream: ${work}` : `There were ${streams} streams, each ${work} (${each})`;
  return [{ text: `${told}; try \`--streams ${Math.min(64, enough)}\`` }];
}

function sizeLimit({ point, summary }: Series, reachGbps: number): readonly Limit[] {
  const { tool, mtuBytes, frameBytes } = point;
  const isSmall = mtuBytes < nearlyJumboBytes;
  if (tool === 'iperf3') {
    if (!isSmall) return [];
    const times = (jumboBytes / mtuBytes).toFixed(0);
    const text = `With an MTU of ${mtuBytes} bytes it takes ${times} times as many packets as with ${jumboBytes}, and each costs time on both hosts; try \`--mtu ${jumboBytes}\``;
    return [{ text }];
  }
  if (frameBytes === undefined || (!isSmall && frameBytes >= smallFrameBytes)) return [];
  const isShort = frameBytes < smallFrameBytes;
  const full = figureText(reachGbps / layer1Gbps(1e6, frameBytes));
  const now = summary.mpps === undefined ? '' : `, and there were ${figureText(summary.mpps)}`;
  const why = isShort ? '' : ` (the MTU is ${mtuBytes})`;
  const longer = isShort ? `--frame ${mtuBytes}` : `--mtu ${jumboBytes} --frame ${jumboBytes}`;
  const text = `Frames of ${frameBytes} bytes${why} would have to be ${full} million a second${now}; longer ones need fewer: try \`${longer}\``;
  return [{ text }];
}
