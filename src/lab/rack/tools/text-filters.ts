/**
 * More text tools: cut, tr, sort, uniq, seq, date, sleep, base64, dd, xargs, and the programs echo, printf, test.
 *
 * Source: coreutils 8.32 behaviour.
 */
import { complain, out, readAll } from '../shell/descriptors.ts';
import { echoText, printfText } from '../shell/echo.ts';
import { runProgram, simply } from '../shell/programs.ts';
import { evaluateTest } from '../shell/test-command.ts';
import type { Program } from '../shell/types.ts';
import { dateText } from './dates.ts';
import { at, attempt } from './file-tools.ts';
import { parseOptions } from './options.ts';
import { inputs, linesOf } from './text-tools.ts';

function ranges(list: string): (number: number) => boolean {
  const parts = list.split(',').map((part): [number, number] => {
    const [from = '', to] = part.split('-');
    return [Number(from || '1'), to === undefined ? Number(from) : to === '' ? Number.MAX_SAFE_INTEGER : Number(to)];
  });
  return (number) => parts.some(([from, to]) => number >= from && number <= to);
}

const cut: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'cut', args, {
    flags: 's only-delimited=s',
    values: 'd delimiter=d f fields=f c characters=c b=c output-delimiter=o',
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const delimiter = values['d'] ?? '\t';
  const wanted = ranges(values['f'] ?? values['c'] ?? '1-');
  for (const { text } of yield* inputs(frame, 'cut', rest)) {
    for (const line of linesOf(text ?? '')) {
      if (values['c'] !== undefined)
        out(
          frame,
          `${line
            .split('')
            .filter((_char, index) => wanted(index + 1))
            .join('')}\n`,
        );
      else if (!line.includes(delimiter)) out(frame, flags.has('s') ? '' : `${line}\n`);
      else
        out(
          frame,
          `${line
            .split(delimiter)
            .filter((_field, index) => wanted(index + 1))
            .join(values['o'] ?? delimiter)}\n`,
        );
    }
  }
  return 0;
};

const namedSets: Record<string, string> = {
  upper: 'A-Z',
  lower: 'a-z',
  digit: '0-9',
  alpha: 'A-Za-z',
  alnum: 'A-Za-z0-9',
  space: ' \t\n\r\f\v',
  blank: ' \t',
  cntrl: '\u0000-\u001f\u007f',
  punct: '!-/:-@[-`{-~',
  print: ' -~',
  xdigit: '0-9A-Fa-f',
};

function characters(set: string): string[] {
  const escaped = set
    .replaceAll(/\[:(\w+):\]/g, (_whole, name: string) => namedSets[name] ?? '')
    .replaceAll(
      /\\([nrt0\\]|[0-7]{3})/g,
      (_whole, code: string) =>
        ({ n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' })[code] ?? String.fromCharCode(Number.parseInt(code, 8)),
    );
  return escaped
    .replaceAll(/([^])-([^])/g, (_whole, from: string, to: string) => {
      let text = '';
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code += 1) text += String.fromCharCode(code);
      return text;
    })
    .split('');
}

const tr: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'tr', args, { flags: 'd delete=d s squeeze-repeats=s c complement=c C=c' });
  if (options === null) return 1;
  const { flags, rest } = options;
  const from = characters(rest[0] ?? '');
  const to = characters(rest[1] ?? '');
  const inSet = (char: string): boolean => from.includes(char) !== flags.has('c');
  let last = '';
  let result = '';
  for (const char of yield* readAll(frame)) {
    if (flags.has('d') && inSet(char)) continue;
    const index = from.indexOf(char);
    const mapped =
      flags.has('d') || to.length === 0 || !inSet(char)
        ? char
        : (to[Math.min(flags.has('c') ? to.length - 1 : index, to.length - 1)] ?? char);
    const squeezable = flags.has('s') && (to.length > 0 ? to.includes(mapped) : inSet(mapped));
    if (!(squeezable && mapped === last)) result += mapped;
    last = mapped;
  }
  out(frame, result);
  return 0;
};

const sort: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'sort', args, {
    flags: 'r reverse=r n numeric-sort=n u unique=u V=n h=n f b',
    values: 'k key=k t field-separator=t o',
  });
  if (options === null) return 2;
  const { flags, values, rest } = options;
  let lines = (yield* inputs(frame, 'sort', rest)).flatMap(({ text }) => linesOf(text ?? ''));
  const field = Number.parseInt(values['k'] ?? '0', 10);
  const numeric = flags.has('n') || (values['k'] ?? '').includes('n');
  const key = (line: string): string => (field === 0 ? line : (line.split(values['t'] ?? /\s+/)[field - 1] ?? ''));
  lines.sort((left, right) => {
    const [a, b] = [key(left), key(right)];
    return numeric ? Number.parseFloat(a) - Number.parseFloat(b) : a < b ? -1 : a > b ? 1 : 0;
  });
  if (flags.has('r') || (values['k'] ?? '').includes('r')) lines.reverse();
  if (flags.has('u')) lines = lines.filter((line, index) => index === 0 || key(line) !== key(lines[index - 1] ?? ''));
  out(frame, lines.map((line) => `${line}\n`).join(''));
  return 0;
};

const uniq: Program = function* program(frame, args) {
  const lines = (yield* inputs(
    frame,
    'uniq',
    args.filter((arg) => !arg.startsWith('-')),
  )).flatMap(({ text }) => linesOf(text ?? ''));
  const groups: { line: string; count: number }[] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.line === line) last.count += 1;
    else groups.push({ line, count: 1 });
  }
  const counted = args.includes('-c');
  out(frame, groups.map(({ line, count }) => `${counted ? `${String(count).padStart(7)} ` : ''}${line}\n`).join(''));
  return 0;
};

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, '': 1000 };

/** Milliseconds of `5`, `1.5m`, `infinity`; null when it is no duration. */
export function durationMs(text: string): number | null {
  if (text === 'infinity') return 1e12;
  const match = /^(\d+(?:\.\d+)?|\.\d+)([smhd]?)$/.exec(text);
  return match === null ? null : Number(match[1]) * (units[match[2] ?? ''] ?? 1000);
}

const sleep: Program = function* program(frame, args) {
  const total = args.map(durationMs);
  const bad = total.indexOf(null);
  if (bad !== -1 || args.length === 0) {
    complain(
      frame,
      args.length === 0
        ? 'sleep: missing operand\n'
        : `sleep: invalid time interval '${args[bad] ?? ''}'\nTry 'sleep --help' for more information.\n`,
    );
    return 1;
  }
  yield { untilMs: frame.rack.nowMs() + total.reduce<number>((sum, each) => sum + (each ?? 0), 0) };
  return 0;
};

const xargs: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'xargs', args, {
    flags: 'r no-run-if-empty=r 0 null=0 t',
    values: 'n max-args=n I L P d',
    stopsAtOperand: true,
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const text = yield* readAll(frame);
  const words = flags.has('0')
    ? text.split('\0').filter((word) => word !== '')
    : values['I'] === undefined
      ? text.split(/\s+/).filter((word) => word !== '')
      : linesOf(text);
  const command = rest.length === 0 ? ['echo'] : rest;
  const missing = (word: string): void => complain(frame, `xargs: ${word}: No such file or directory\n`);
  if (words.length === 0 && flags.has('r')) return 0;
  const size = values['I'] === undefined ? Number(values['n'] ?? words.length) : 1;
  let status = 0;
  for (let from = 0; from < Math.max(1, words.length); from += Math.max(1, size)) {
    const batch = words.slice(from, from + Math.max(1, size));
    const mark = values['I'];
    const argv =
      mark === undefined ? [...command, ...batch] : command.map((word) => word.replaceAll(mark, batch[0] ?? ''));
    if ((yield* runProgram(frame, argv, missing)) !== 0) status = 123;
  }
  return status;
};

const dd: Program = function* program(frame, args) {
  const value = (name: string): string | undefined =>
    args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
  const size = (text: string | undefined): number =>
    Number.parseInt(text ?? '1', 10) *
    ({ k: 1024, K: 1024, M: 1_048_576, G: 1_073_741_824 }[/[kKMG]/.exec(text ?? '')?.[0] ?? ''] ?? 1);
  const bytes = args.some((arg) => /flag=.*skip_bytes/.test(arg));
  const blockBytes = size(value('bs') ?? '512');
  const source = value('if');
  const [input] = yield* inputs(frame, 'dd', source === undefined ? [] : [source]);
  if (input?.text === undefined || input.text === null) return 1;
  const skip = Number(value('skip') ?? '0') * (bytes ? 1 : blockBytes);
  const count =
    value('count') === undefined
      ? Number.MAX_SAFE_INTEGER
      : Number(value('count')) * (args.some((arg) => arg.includes('count_bytes')) ? 1 : blockBytes);
  const text = input.text.slice(skip, skip + count);
  const target = value('of');
  if (target === undefined) out(frame, text);
  else if (
    target !== '/dev/null' &&
    !attempt(frame, `dd: failed to open '${target}'`, () => frame.machine.files.write(at(frame, target), text, frame))
  )
    return 1;
  if (value('status') !== 'none')
    complain(frame, `0+1 records in\n0+1 records out\n${text.length} bytes copied, 0.0001 s, 10.0 MB/s\n`);
  return 0;
};

/** Name -> program. */
export const textFilters: Record<string, Program> = {
  cut,
  tr,
  sort,
  uniq,
  sleep,
  xargs,
  dd,
  seq: simply((frame, args) => {
    const numbers = args.map(Number);
    const [from, to] = numbers.length === 1 ? [1, numbers[0] ?? 0] : [numbers[0] ?? 1, numbers.at(-1) ?? 0];
    const step = numbers.length > 2 ? (numbers[1] ?? 1) : 1;
    for (let value = from; step > 0 ? value <= to : value >= to; value += step || 1) out(frame, `${value}\n`);
    return 0;
  }),
  date: simply((frame, args) => {
    const format = args.find((arg) => arg.startsWith('+'))?.slice(1);
    const given = args.find((arg) => arg.startsWith('@')) ?? args.find((arg) => arg.startsWith('--date=@'))?.slice(7);
    const nowMs = given === undefined ? frame.rack.nowMs() : Number(given.slice(1)) * 1000;
    const iso = args.some((arg) => arg.startsWith('-I') || arg.startsWith('--iso'));
    out(frame, `${dateText(nowMs, format ?? (iso ? '%Y-%m-%dT%H:%M:%S+00:00' : '%a %b %e %H:%M:%S %Z %Y'))}\n`);
    return 0;
  }),
  base64: function* program(frame, args) {
    const options = parseOptions(frame, 'base64', args, { flags: 'd decode=d i', values: 'w wrap=w' });
    if (options === null) return 1;
    const [input] = yield* inputs(frame, 'base64', options.rest);
    const text = input?.text ?? '';
    if (options.flags.has('d')) out(frame, Buffer.from(text, 'base64').toString('latin1'));
    else {
      const encoded = Buffer.from(text, 'latin1').toString('base64');
      const width = Number(options.values['w'] ?? '76');
      out(frame, width === 0 ? encoded : encoded.replaceAll(new RegExp(`.{1,${width}}`, 'g'), '$&\n'));
    }
    return input?.text === null ? 1 : 0;
  },
  echo: simply((frame, args) => (out(frame, echoText(args)) ? 0 : 1)),
  printf: simply((frame, args) => {
    const made = printfText(args);
    if ('problem' in made) complain(frame, `printf: ${made.problem}\n`);
    else out(frame, made.text);
    return 'problem' in made ? 1 : 0;
  }),
  test: simply((frame, args) => {
    const verdict = evaluateTest(frame, args);
    if (typeof verdict === 'string') complain(frame, `test: ${verdict}\n`);
    return typeof verdict === 'string' ? 2 : verdict ? 0 : 1;
  }),
  true: simply(() => 0),
  false: simply(() => 1),
};
