/** POSIX regular expressions as JavaScript ones. Source: POSIX.1-2017 XBD 9. */
import { classes } from '../files/paths.ts';

function bracket(pattern: string, at: number): { text: string; end: number } {
  let end = at + 1;
  if (pattern[end] === '^') end += 1;
  if (pattern[end] === ']') end += 1;
  while (end < pattern.length && pattern[end] !== ']') {
    if (pattern[end] === '[' && pattern[end + 1] === ':') end = pattern.indexOf(':]', end) + 1;
    end += 1;
  }
  const inside = pattern.slice(at + 1, end);
  const text = inside
    .replaceAll(/\[:(\w+):\]/g, (_whole, name: string) => `\u0001${classes[name] ?? ''}\u0001`)
    .split('\u0001')
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replaceAll('\\', '\\\\')
            .replaceAll('[', '\\[')
            .replace(/^(\^?)\]/, '$1\\]'),
    )
    .join('');
  return { text: `[${text}]`, end };
}

/** Source text for RegExp: `extended` is ERE, otherwise BRE with the GNU extensions. */
function posixSource(pattern: string, extended: boolean): string {
  let result = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    const next = pattern[at + 1] ?? '';
    if (char === '[') {
      const { text, end } = bracket(pattern, at);
      result += text;
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (!extended && '(){}|+?'.includes(next)) result += next;
      else if (next === '<' || next === '>') result += String.raw`\b`;
      else
        result += /[wWsSbBntrdD1-9]/.test(next) ? `\\${next}` : /[.*^$[\]\\/(){}|+?-]/.test(next) ? `\\${next}` : next;
    } else if (!extended && '(){}|+?'.includes(char)) result += `\\${char}`;
    else if (!extended && char === '*' && (at === 0 || result.endsWith('(') || result === '^'))
      result += String.raw`\*`;
    else if (char === '/') result += String.raw`\/`;
    else result += char;
  }
  return result;
}

/** The expression, or null when it is none. */
export function posixRegExp(pattern: string, extended: boolean, flags = ''): RegExp | null {
  try {
    return new RegExp(posixSource(pattern, extended), flags);
  } catch {
    return null;
  }
}
