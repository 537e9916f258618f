/** Texts of `echo` and `printf`. Source: dash 0.5.11 (echo understands backslashes), POSIX printf. */

const escapes: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\u001b',
};

function unescapeText(text: string): { text: string; stopped: boolean } {
  let result = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char !== '\\') {
      result += char;
      continue;
    }
    at += 1;
    const next = text[at] ?? '';
    if (next === 'c') return { text: result, stopped: true };
    const octal = /^0?[0-7]{1,3}/.exec(text.slice(at))?.[0];
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(text.slice(at));
    if (hex?.[1] !== undefined) {
      result += String.fromCharCode(Number.parseInt(hex[1], 16));
      at += hex[0].length - 1;
    } else if (octal !== undefined) {
      result += String.fromCharCode(Number.parseInt(octal, 8) & 255);
      at += octal.length - 1;
    } else result += escapes[next] ?? `\\${next}`;
  }
  return { text: result, stopped: false };
}

/** What `echo` prints. */
export function echoText(args: string[]): string {
  const silent = args[0] === '-n';
  const words = silent ? args.slice(1) : args;
  const { text, stopped } = unescapeText(words.join(' '));
  return text + (silent || stopped ? '' : '\n');
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  return text.padStart(width, flags.includes('0') ? '0' : ' ');
}

function one(
  conversion: string,
  flags: string,
  width: number,
  precision: number | null,
  arg: string | undefined,
): string | null {
  const text = arg ?? '';
  switch (conversion) {
    case 's':
      return pad(precision === null ? text : text.slice(0, precision), flags, width);
    case 'b':
      return pad(unescapeText(text).text, flags, width);
    case 'c':
      return pad(text.slice(0, 1), flags, width);
    case 'f':
      return pad(Number(text || '0').toFixed(precision ?? 6), flags, width);
    default: {
      const number = text.startsWith("'") ? text.charCodeAt(1) : Number(text || '0');
      if (!Number.isFinite(number)) return null;
      const whole = Math.trunc(number);
      const shown =
        conversion === 'x'
          ? whole.toString(16)
          : conversion === 'X'
            ? whole.toString(16).toUpperCase()
            : conversion === 'o'
              ? whole.toString(8)
              : String(whole);
      return pad(shown, flags, width);
    }
  }
}

/** What `printf` prints. */
export function printfText(args: string[]): { text: string } | { problem: string } {
  const [first, ...given] = args[0] === '--' ? args.slice(1) : args;
  if (first === undefined) return { problem: 'usage: printf format [arg ...]' };
  const format = first;
  let rest = given;
  let text = '';
  do {
    let used = 0;
    const pattern = /%([-+ 0#]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])|\\[^]?[0-7]{0,3}|[^%\\]+|%/g;
    for (const match of format.matchAll(pattern)) {
      const [whole, flags = '', width = '0', precision, conversion] = match;
      if (conversion === '%') text += '%';
      else if (conversion !== undefined) {
        const wide = width === '*' ? Number(rest[used++] ?? '0') : Number(width);
        const made = one(conversion, flags, wide, precision === undefined ? null : Number(precision), rest[used]);
        if (made === null) return { problem: `${rest[used] ?? ''}: expected numeric value` };
        used += 1;
        text += made;
      } else text += whole.startsWith('\\') ? unescapeText(whole).text : whole;
    }
    if (used === 0) break;
    rest = rest.slice(used);
  } while (rest.length > 0);
  return { text };
}
