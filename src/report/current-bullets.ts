import type { Bullet } from './blocks.ts';
import type { CurrentView } from './run-view.ts';
import { stopwatch } from './text.ts';

/** "Step 7 of 12, Secure Boot off: waiting for the second Arm reboot, 1:20 of at most 5:00". */
export function currentBullets(current: CurrentView, nowMs: number): Bullet[] {
  const position = current.index === undefined ? '' : `Step ${current.index} of ${current.count}, `;
  const elapsedMs = nowMs - current.sinceMs;
  const elapsed = stopwatch(elapsedMs);
  // That it has just begun is nothing to tell.
  const unlimited = elapsedMs < 1000 ? '' : `, ${elapsed} so far`;
  const limit = current.limitMs === undefined ? unlimited : `, ${elapsed} of at most ${stopwatch(current.limitMs)}`;
  const percent = current.percent === undefined ? '' : `, ${Math.round(current.percent)} %`;
  const reason = current.text === '' ? '' : `: ${current.text}`;
  const now: Bullet = {
    spans: [position, { bold: current.title }, ` on ${current.target}${reason}${percent}${limit}`],
  };
  if (current.lastLine === undefined || current.lastLine.trim() === '') return [now];
  return [now, { spans: ['Last output: ', { code: current.lastLine.slice(0, 150) }] }];
}
