import type { RateSample, Repeat } from '../domain/bench.ts';
import { layer2Gbps } from './rates.ts';
import type { TestpmdLog, TestpmdSample, TestpmdTotal } from './testpmd-log.ts';

/** What was asked of testpmd. */
export interface RepeatWish {
  /** Without FCS. */
  readonly frameBytes: number;
  /** Thrown away at the begin. */
  readonly warmUpS: number;
  /** What comes after so many measured seconds is left out. */
  readonly durationS?: number;
}

/** A sample with the time that it is about. */
type Timed = TestpmdSample & { readonly seconds: number };

/** A log from which a figure can come. */
interface Complete extends TestpmdLog {
  readonly total: TestpmdTotal;
}

/** Other frames on a link, ARP and the like, stay below this share. */
const foreignShare = 0.001;
/** So many frames a second may be of others alone. */
const strayPps = 10;
/** Of the asked time: what is measured at least, and what is measured without saying it. */
const leastShare = 0.5;
const fullShare = 0.85;

/**
 * One repeat of what both sides have logged. The far end counts: its rates from the first whole show after the warm-up to
 * the end of the sender. A gap in between is a gap of the link and counts as zero; no frame at all is no figure.
 */
export function repeatOfTestpmd(
  sent: TestpmdLog,
  received: TestpmdLog,
  wish: RepeatWish,
): Repeat | { readonly error: string } {
  const problem = problemOf('sender', sent) ?? problemOf('receiver', received) ?? wrongFrame(sent, wish);
  if (problem !== undefined) return { error: problem };
  if (!isComplete(sent) || !isComplete(received)) return { error: 'testpmd has printed no totals' };
  if (sent.total.txPackets === 0) return { error: 'testpmd has sent no frame: the device took none' };
  if (isSilent(received)) {
    const counted = received.total.rxPackets === 0 ? 'none' : `${received.total.rxPackets}, as of ARP and the like`;
    return { error: `no frame has arrived: ${sent.total.txPackets} were sent, the far end counted ${counted}` };
  }
  const measured = measuredPart(sent, received, wish);
  if ('error' in measured) return measured;
  const { seconds, samples } = measured;
  const mean = (value: (sample: Timed) => number): number =>
    samples.reduce((sum, sample) => sum + value(sample) * sample.seconds, 0) / seconds;
  const receivedGbps = mean((sample) => gbpsOf(sample.rxBps, sample.rxPps, wish.frameBytes));
  const sentGbps = sentRate(sent, wish);
  const loss = 1 - received.total.rxPackets / sent.total.txPackets;
  return {
    samples: samplesAt(samples, wish.frameBytes),
    receivedGbps,
    ...(sentGbps !== undefined && { sentGbps }),
    receivedMpps: mean(({ rxPps }) => rxPps) / 1e6,
    lossPercent: Math.max(0, loss * 100),
    warnings: warningsOf(sent.total, received, { seconds, ...wish }),
  };
}

function problemOf(side: string, { problem }: TestpmdLog): string | undefined {
  return problem === undefined ? undefined : `${side}: ${problem}`;
}

/** testpmd falls back to frames of 64 bytes where it cannot take the wanted ones. */
function wrongFrame({ frameBytes }: TestpmdLog, wish: RepeatWish): string | undefined {
  if (frameBytes === undefined || frameBytes === wish.frameBytes) return undefined;
  return `testpmd sent frames of ${frameBytes} bytes where ${wish.frameBytes} were asked for`;
}

function isComplete(log: TestpmdLog): log is Complete {
  return log.total !== undefined;
}

/** Hosts and switches say something of their own now and then, which is no frame of ours. */
function isSilent({ samples, total }: Complete): boolean {
  if (total.rxPackets === 0) return true;
  // The length of a show is known by what it counted: where none did, they are told apart by their number.
  if (samples.length > 1 && samples.every(({ rxPps }) => rxPps === 0)) return true;
  const seconds = withTimes(samples).reduce((sum, sample) => sum + sample.seconds, 0);
  return total.rxPackets < strayPps * seconds;
}

/** Samples of the receiver that lie within the sending, after the warm-up. */
function measuredPart(
  sent: Complete,
  received: Complete,
  { warmUpS, durationS = Number.POSITIVE_INFINITY }: RepeatWish,
): { readonly samples: readonly Timed[]; readonly seconds: number } | { readonly error: string } {
  const timed = withTimes(received.samples);
  const first = timed.findIndex(({ rxPps }) => rxPps > 0);
  const sendingS = sendingTime(sent);
  const begin = timed[first];
  if (begin === undefined || sendingS === undefined)
    return { error: 'it ended before the second show of the counters' };
  // The sender began somewhere within the first sample with traffic: as much of it as is filled at the rate of the next.
  const filled = begin.rxPps / Math.max(begin.rxPps, timed[first + 1]?.rxPps ?? 0);
  let passedS = begin.seconds * filled;
  let seconds = 0;
  const samples: Timed[] = [];
  for (const sample of timed.slice(first + 1)) {
    const startedS = passedS;
    passedS += sample.seconds;
    // A show that reaches beyond the end of the sender is no whole one; a tenth is the roughness of both times.
    if (passedS > sendingS + sample.seconds / 10 || seconds >= durationS) break;
    if (startedS < warmUpS) continue;
    samples.push(sample);
    seconds += sample.seconds;
  }
  const shown = `${seconds.toFixed(0)} s`;
  if (samples.length === 0) return { error: 'no whole show of the counters lies between the warm-up and the end' };
  if (Number.isFinite(durationS) && seconds < durationS * leastShare)
    return { error: `only ${shown} of ${durationS} s could be measured: testpmd started late or ended early` };
  return { samples, seconds };
}

/** Where nothing was counted a show took as long as the others. */
function withTimes(samples: readonly TestpmdSample[]): readonly Timed[] {
  const known = samples.flatMap(({ seconds }) => seconds ?? []).toSorted((a, b) => a - b);
  const usual = known[Math.floor(known.length / 2)];
  return usual === undefined ? [] : samples.map((sample) => ({ ...sample, seconds: sample.seconds ?? usual }));
}

/** How long it sent: its shows, and what it sent after the last one at the rate before. */
function sendingTime({ samples, total }: Complete): number | undefined {
  const timed = withTimes(samples);
  const last = timed.findLast(({ txPps }) => txPps > 0);
  if (last === undefined) return undefined;
  const shownS = timed.reduce((sum, { seconds }) => sum + seconds, 0);
  return shownS + Math.max(0, total.txPackets - last.txPackets) / last.txPps;
}

function sentRate({ samples }: TestpmdLog, { warmUpS, frameBytes }: RepeatWish): number | undefined {
  let passedS = 0;
  let seconds = 0;
  let sum = 0;
  for (const sample of withTimes(samples)) {
    if (passedS >= warmUpS) {
      seconds += sample.seconds;
      sum += gbpsOf(sample.txBps, sample.txPps, frameBytes) * sample.seconds;
    }
    passedS += sample.seconds;
  }
  return seconds === 0 ? undefined : sum / seconds;
}

/** Some drivers count frames and no bytes. */
function gbpsOf(bps: number, pps: number, frameBytes: number): number {
  return bps === 0 ? layer2Gbps(pps, frameBytes) : bps / 1e9;
}

function samplesAt(samples: readonly Timed[], frameBytes: number): readonly RateSample[] {
  let atS = 0;
  return samples.map(({ seconds, rxBps, rxPps }) => {
    atS += seconds;
    return { atS, receivedGbps: gbpsOf(rxBps, rxPps, frameBytes), receivedMpps: rxPps / 1e6 };
  });
}

function warningsOf(
  sent: TestpmdTotal,
  { total, samples }: Complete,
  { seconds, durationS, frameBytes }: RepeatWish & { readonly seconds: number },
): readonly string[] {
  const { rxMissed = 0, rxNombuf, rxPackets } = total;
  const perFrame = bytesPerFrame(samples);
  return [
    ...(rxNombuf > 0
      ? [
          `mbuf pool too small: the receiver had no packet buffer ${rxNombuf} times (RX-nombuf); raise \`mbufs\` or \`memoryMiB\``,
        ]
      : []),
    ...(rxMissed > 0 ? [`the receiver was too slow for ${rxMissed} frames (RX-missed): more cores or queues`] : []),
    ...(rxPackets > sent.txPackets * (1 + foreignShare)
      ? [
          `the far end counted ${rxPackets - sent.txPackets} frames more than were sent: there is other traffic on the link`,
        ]
      : []),
    ...(perFrame !== undefined && Math.abs(perFrame - frameBytes) > Math.max(4, frameBytes * 0.02)
      ? [
          `frames at the far end have ${perFrame.toFixed(0)} bytes in the mean, ${frameBytes} were sent: there is other traffic`,
        ]
      : []),
    ...(durationS !== undefined && seconds < durationS * fullShare
      ? [`${seconds.toFixed(0)} of ${durationS} s were measured: testpmd took long to start`]
      : []),
  ];
}

function bytesPerFrame(samples: readonly TestpmdSample[]): number | undefined {
  const pps = samples.reduce((sum, { rxPps }) => sum + rxPps, 0);
  const bps = samples.reduce((sum, { rxBps }) => sum + rxBps, 0);
  return pps === 0 || bps === 0 ? undefined : bps / 8 / pps;
}
