import { hostProblems, nameProblems, sameValueProblems } from './inventory-checks/hosts.ts';
import { linkProblems } from './inventory-checks/links.ts';
import { pairProblems } from './inventory-checks/pairs.ts';
import { channelProblems, roleProblems } from './inventory-checks/people.ts';
import { profileProblems } from './inventory-checks/profiles.ts';
import type { Problem } from './inventory-checks/view.ts';
import { viewOf } from './inventory-checks/view.ts';
import { windowProblems } from './inventory-checks/windows.ts';

export type { Problem } from './inventory-checks/view.ts';

/** Holds the parts of an inventory against each other. `raw` is the plain value of the file, of any form. */
export function crossChecks(raw: unknown): Problem[] {
  const view = viewOf(raw);
  return [
    ...hostProblems(view),
    ...profileProblems(view),
    ...nameProblems(view),
    ...sameValueProblems(view),
    ...linkProblems(view),
    ...pairProblems(view),
    ...roleProblems(view),
    ...channelProblems(view),
    ...windowProblems(view),
  ];
}
