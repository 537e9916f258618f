/**
 * `ip xfrm` on a machine without security associations.
 *
 * Source: iproute2 6.1 on a real kernel with none: no line at all, counts in words, refusal without CAP_NET_ADMIN.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';

const counts: Record<string, string> = { state: '\t SAD count 0\n', policy: '\t SPD IN  0 OUT 0 FWD 0\n' };

/** What follows `ip xfrm`. */
export function showXfrm(frame: Frame, [object = '', verb = 'list']: readonly string[]): number {
  const name = Object.keys(counts).find((each) => object !== '' && each.startsWith(object));
  if (name === undefined || !['list', 'show', 'lst', 'count'].includes(verb)) {
    complain(frame, 'Usage: ip xfrm XFRM-OBJECT { COMMAND | help }\nwhere  XFRM-OBJECT := state | policy | monitor\n');
    return 255;
  }
  if (!frame.root) {
    complain(frame, 'RTNETLINK answers: Operation not permitted\nDump terminated\n');
    return 1;
  }
  if (verb === 'count') out(frame, counts[name] ?? '');
  return 0;
}
