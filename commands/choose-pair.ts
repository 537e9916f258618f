import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { CommandRequest } from './define.ts';

/**
 * The pair that a command means: the one it names, else that of its channel, else the only one there is. Errors:
 * command-invalid, with the names that there are.
 */
export function choosePair({ context, invocation }: CommandRequest, word: string | undefined): string {
  const { pairs, channelPairs } = context.inventory();
  const names = Object.keys(pairs);
  if (names.length === 0) throw noPairs();
  if (word !== undefined) {
    const name = word.toLowerCase();
    if (names.includes(name)) return name;
    const meant = nearest(name, names);
    throw errors.commandInvalid({
      what: `There is no pair "${word}" in the inventory.`,
      why: meant === undefined ? known(names) : `Did you mean "${meant}"?`,
      next: 'Name one of them. Nothing was started.',
    });
  }
  const ofChannel = channelPairs[invocation.channel] ?? channelPairs[`#${invocation.channelName ?? ''}`];
  const [only, ...others] = names;
  const chosen = ofChannel ?? (others.length === 0 ? only : undefined);
  if (chosen !== undefined) return chosen;
  throw errors.commandInvalid({
    what: 'No pair is named, and this channel has none of its own.',
    why: known(names),
    next: 'Name one of them, or give the channel one under `channelPairs` of the inventory. Nothing was started.',
  });
}

function known(names: readonly string[]): string {
  return `The inventory has: ${names.join(', ')}.`;
}

function noPairs(): Error {
  return errors.commandInvalid({
    what: 'The inventory has no pair of cards to measure between.',
    why: 'A bench needs two cards with a cable, and the addresses that it may use there.',
    next: 'Describe them under `pairs` of the inventory. Nothing was started.',
  });
}
