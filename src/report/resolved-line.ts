import type { RunView } from './run-view.ts';
import { count, escapeMrkdwn } from './text.ts';

/** With more hosts than this the rest is counted. */
const SHOWN_HOSTS = 12;

/**
 * What an expression came to, for the card, from its first moment on: `2 hosts, 3 DPUs: as7 (as7-dpu0), as9 (...)`. Undefined
 * where a single name was given, or a pair: those need no explaining.
 */
export function resolvedLine({ text, recipe, units }: RunView): string | undefined {
  if (recipe.startsWith('bench') || !/--(only|except)\b|[,*?[]|\b(tag|state):/.test(text)) return undefined;
  const cardsOf = (unit: RunView['units'][number]): string[] =>
    unit.targets.map(({ target }) => target).filter((target) => target !== unit.unit);
  const shown = units
    .slice(0, SHOWN_HOSTS)
    .map((unit) => `${escapeMrkdwn(unit.name)} (${cardsOf(unit).map(escapeMrkdwn).join(', ')})`);
  const rest = units.length > SHOWN_HOSTS ? ` and ${count(units.length - SHOWN_HOSTS, 'more host')}` : '';
  const cards = units.reduce((sum, unit) => sum + cardsOf(unit).length, 0);
  return `*${count(units.length, 'host')}, ${count(cards, 'DPU')}:* ${shown.join(', ')}${rest}`;
}
