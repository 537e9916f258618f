/**
 * `swanctl --initiate`, `--terminate`, `--rekey`, `--install` and `--uninstall`.
 *
 * Source: strongSwan 5.9.8 on a real system (texts, exit code 1); retransmission of IKE: 4 s and 1.8 times as long each time,
 * five times.
 */
import type { ChildSa, IkeSa } from '../data-path.ts';
import { randomHex } from '../random.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Steps } from '../shell/types.ts';
import type { CardState } from '../state.ts';
import { connectingOf, endSa, initiate } from './charon.ts';
import { deleteLines, retransmitLines } from './transcript.ts';
import type { SwanctlCall } from './swanctl-options.ts';

const waitsMs = [4_000, 7_200, 12_960, 23_328, 41_990, 75_582];

function say(frame: Frame, lines: string[]): void {
  out(frame, lines.map((line) => `${line}\n`).join(''));
}

function refuse(frame: Frame, { command }: SwanctlCall, reason: string): number {
  complain(frame, `${command} failed: ${reason}\n`);
  return 1;
}

function done(frame: Frame, { command }: SwanctlCall): number {
  out(frame, `${command} completed successfully\n`);
  return 0;
}

/** Bring something up, and wait for it. */
export function* bringUp(frame: Frame, card: CardState, call: SwanctlCall): Steps<number> {
  const { rack } = frame;
  const [child, ike] = [call.values.get('child'), call.values.get('ike')];
  if (child === undefined && ike === undefined) return refuse(frame, call, 'missing configuration name');
  const kind = child === undefined ? 'IKE_SA' : 'CHILD_SA';
  const name = child ?? ike ?? '';
  const timeoutS = Number(call.values.get('timeout') ?? '0');
  yield { untilMs: rack.nowMs() + 60 };
  const { outcome, lines, talk } = initiate(rack, card, { child, ike });
  if (outcome === 'not-found') return refuse(frame, call, `${kind} config '${name}' not found`);
  say(frame, lines);
  if (outcome === 'done') return done(frame, call);
  if (outcome === 'no-answer' && talk !== undefined) {
    const untilMs = timeoutS > 0 ? rack.nowMs() + timeoutS * 1000 : Infinity;
    for (const [index, waitMs] of waitsMs.entries()) {
      const atMs = rack.nowMs() + waitMs;
      yield { untilMs: Math.min(atMs, untilMs) };
      if (atMs >= untilMs) return refuse(frame, call, `${kind} '${name}' not established after ${timeoutS * 1000}ms`);
      if (index < waitsMs.length - 1) say(frame, retransmitLines(talk, index + 1));
    }
    say(frame, ['[IKE] giving up after 5 retransmits', '[IKE] establishing IKE_SA failed, peer not responding']);
  }
  return refuse(frame, call, `establishing ${kind} '${name}' failed`);
}

/** SAs that a call means: IKE SAs, or children with theirs. */
function meant(card: CardState, { values }: SwanctlCall): { ike: IkeSa; child: ChildSa | null }[] {
  const fits = (name: string, id: number, kind: 'ike' | 'child'): boolean => {
    const [wantedName, wantedId] = [values.get(kind), values.get(`${kind}-id`)];
    return (wantedName === undefined || wantedName === name) && (wantedId === undefined || wantedId === String(id));
  };
  const ikes = card.armOs.dataPath.charon.sas.filter(({ name, id }) => fits(name, id, 'ike'));
  if (!values.has('child') && !values.has('child-id')) return ikes.map((ike) => ({ ike, child: null }));
  return ikes.flatMap((ike) =>
    ike.children.filter(({ name, id }) => fits(name, id, 'child')).map((child) => ({ ike, child })),
  );
}

const selectors = ['child', 'ike', 'child-id', 'ike-id'];

/** IKE SAs that nobody has answered yet end without a word to anybody. */
function endConnecting(frame: Frame, card: CardState, { values }: SwanctlCall): boolean {
  if (values.has('child') || values.has('child-id')) return false;
  const { charon } = card.armOs.dataPath;
  const [name, id] = [values.get('ike'), values.get('ike-id')];
  const found = connectingOf(frame.rack, card).filter(
    (each) => (name === undefined || each.name === name) && (id === undefined || id === String(each.id)),
  );
  charon.connecting = charon.connecting.filter((each) => !found.includes(each));
  for (const each of found)
    say(frame, [`[IKE] destroying IKE_SA ${each.name}[${each.id}] in state CONNECTING without notification`]);
  return found.length > 0;
}

/** End SAs. Without --force or a timeout it waits for the other side's answer. */
export function* terminate(frame: Frame, card: CardState, call: SwanctlCall): Steps<number> {
  if (!selectors.some((each) => call.values.has(each))) return refuse(frame, call, 'missing terminate selector');
  const hadConnecting = endConnecting(frame, card, call);
  const found = meant(card, call);
  if (found.length === 0 && !hadConnecting) return refuse(frame, call, 'no matching SAs to terminate found');
  for (const { ike, child } of found) {
    if (child === null) {
      const answers = endSa(frame.rack, card, ike);
      say(frame, deleteLines(ike, answers));
      if (answers || call.values.has('force')) continue;
      const timeoutS = Number(call.values.get('timeout') ?? '0');
      yield {
        untilMs: frame.rack.nowMs() + (timeoutS > 0 ? timeoutS * 1000 : waitsMs.reduce((sum, each) => sum + each)),
      };
      if (timeoutS > 0) return refuse(frame, call, `IKE_SA [${ike.id}] not terminated after ${timeoutS * 1000}ms`);
      say(frame, ['[IKE] giving up after 5 retransmits', '[IKE] proper IKE_SA delete failed, peer not responding']);
      continue;
    }
    const { name, id, spiIn, spiOut, bytesIn, bytesOut } = child;
    const ts = `${Math.floor(bytesIn)} bytes) ${spiOut}_o (${Math.floor(bytesOut)} bytes)`;
    say(frame, [`[IKE] closing CHILD_SA ${name}{${id}} with SPIs ${spiIn}_i (${ts}`]);
    endSa(frame.rack, card, ike, child);
  }
  return done(frame, call);
}

/** New keys and SPIs for children; the daemons agree on them at once. */
export function rekey(frame: Frame, card: CardState, call: SwanctlCall): number {
  if (!selectors.some((each) => call.values.has(each))) return refuse(frame, call, 'missing rekey selector');
  const found = meant(card, call);
  if (found.length === 0) return refuse(frame, call, 'no matching SAs to rekey found');
  for (const { ike, child } of found) {
    const fars = frame.rack.state.cards.flatMap(({ armOs }) =>
      armOs.dataPath.charon.sas.flatMap((each) => (each.initiatorSpi === ike.initiatorSpi ? each.children : [])),
    );
    for (const one of child === null ? ike.children : [child]) {
      const twin = fars.find(({ spiIn, spiOut }) => spiIn === one.spiOut && spiOut === one.spiIn);
      const [spiIn, spiOut] = [`c${randomHex(frame.rack.state, 7)}`, `c${randomHex(frame.rack.state, 7)}`];
      const fresh = { bytesIn: 0, packetsIn: 0, bytesOut: 0, packetsOut: 0, installedAtMs: frame.rack.nowMs() };
      if (twin !== undefined) Object.assign(twin, fresh, { spiIn: spiOut, spiOut: spiIn });
      Object.assign(one, fresh, { spiIn, spiOut });
    }
  }
  return done(frame, call);
}

/** Policies that ask for an SA when a packet meets them. */
export function trap(frame: Frame, card: CardState, call: SwanctlCall): number {
  const { charon } = card.armOs.dataPath;
  const child = call.values.get('child') ?? '';
  if (call.command === 'uninstall') {
    if (!charon.traps.includes(child)) return refuse(frame, call, `policy '${child}' not found`);
    charon.traps = charon.traps.filter((each) => each !== child);
    return done(frame, call);
  }
  const isKnown = charon.connections.some(({ children }) => children.some(({ name }) => name === child));
  if (!isKnown) return refuse(frame, call, 'configuration name not found');
  charon.traps = [...charon.traps.filter((each) => each !== child), child];
  return done(frame, call);
}
