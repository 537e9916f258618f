import type { Right } from '../src/domain/policy.ts';
import { may } from '../src/domain/policy.ts';
import { errors } from '../src/errors.ts';
import type { CommandRequest } from './define.ts';

/** Refuses people without a right, who use a command in a way that needs it. Errors: not-allowed. */
export function refuseWithout({ context, roles, person }: CommandRequest, right: Right, action: string): void {
  const inventory = context.inventory();
  if (may(inventory, roles, right)) return;
  const needed = inventory.policy[right];
  const need = needed.length === 0 ? `the right to ${right}, which nobody has` : `the role ${needed.join(' or ')}`;
  throw errors.notAllowed({ who: person.displayName, action, need });
}
