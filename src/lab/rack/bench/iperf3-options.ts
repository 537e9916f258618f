/** Options of iperf3. Source: iperf3(1) of 3.12. */

export interface Iperf3Options {
  server: boolean;
  host: string;
  port: number;
  oneOff: boolean;
  daemon: boolean;
  json: boolean;
  seconds: number;
  omitSeconds: number;
  streams: number;
  /** Bits a second of each stream; 0: as fast as it goes. */
  bitrate: number;
  bytes: number;
  bind: string | null;
  connectTimeoutMs: number | null;
  reverse: boolean;
  interval: number;
  version: boolean;
  logFile: string | null;
  pidFile: string | null;
}

const flags: Record<string, string> = {
  s: 'server',
  D: 'daemon',
  J: 'json',
  R: 'reverse',
  Z: 'zerocopy',
  N: 'no-delay',
  V: 'verbose',
  v: 'version',
  '4': 'version4',
  '1': 'one-off',
  'get-server-output': 'get-server-output',
  forceflush: 'forceflush',
  'repeating-payload': 'repeating-payload',
  'dont-fragment': 'dont-fragment',
};
const values: Record<string, string> = {
  c: 'client',
  p: 'port',
  t: 'time',
  O: 'omit',
  P: 'parallel',
  b: 'bitrate',
  n: 'bytes',
  B: 'bind',
  i: 'interval',
  w: 'window',
  l: 'length',
  M: 'set-mss',
  A: 'affinity',
  C: 'congestion',
  f: 'format',
  T: 'title',
  S: 'tos',
  I: 'pidfile',
  'connect-timeout': 'connect-timeout',
  'rcv-timeout': 'rcv-timeout',
  logfile: 'logfile',
  cport: 'cport',
};

/** `10G`, `500M`, `1000`. */
function amount(text: string): number {
  const [, number = '0', unit = ''] = /^(\d+(?:\.\d+)?)([kKmMgGtT]?)/.exec(text) ?? [];
  const size: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
  return Number(number) * (size[unit.toLowerCase()] ?? 1);
}

/** Words of the command line by their long names; the name of an unknown one. */
function words(args: string[]): Map<string, string> | string {
  const found = new Map<string, string>();
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const [, long, , attached] = /^--([\w-]+)(=(.*))?$/.exec(arg) ?? [];
    if (long !== undefined) {
      const flag = Object.values(flags).find((each) => each === long);
      const value = Object.values(values).find((each) => each === long);
      if (flag === undefined && value === undefined) return `unrecognized option '${arg}'`;
      found.set(long, flag === undefined ? (attached ?? args[(at += 1)] ?? '') : '');
      continue;
    }
    if (!/^-./.test(arg)) return `unexpected argument ${arg}`;
    for (let index = 1; index < arg.length; index += 1) {
      const letter = arg.charAt(index);
      const flag = flags[letter];
      if (flag !== undefined) {
        found.set(flag, '');
        continue;
      }
      const value = values[letter];
      if (value === undefined) return `invalid option -- '${letter}'`;
      found.set(value, arg.slice(index + 1) || (args[(at += 1)] ?? ''));
      break;
    }
  }
  return found;
}

/** Options, or what is wrong with them. */
export function iperf3Options(args: string[]): Iperf3Options | string {
  const found = words(args);
  if (typeof found === 'string') return found;
  const number = (name: string, usual: number): number => (found.has(name) ? Number(found.get(name)) : usual);
  const timeout = found.get('connect-timeout');
  return {
    server: found.has('server'),
    host: found.get('client') ?? '',
    port: number('port', 5201),
    oneOff: found.has('one-off'),
    daemon: found.has('daemon'),
    json: found.has('json'),
    seconds: number('time', 10),
    omitSeconds: number('omit', 0),
    streams: number('parallel', 1),
    bitrate: amount(found.get('bitrate') ?? '0'),
    bytes: amount(found.get('bytes') ?? '0'),
    bind: found.get('bind')?.replace(/%.*$/, '') ?? null,
    connectTimeoutMs: timeout === undefined ? null : Number(timeout),
    reverse: found.has('reverse'),
    interval: number('interval', 1),
    version: found.has('version'),
    logFile: found.get('logfile') ?? null,
    pidFile: found.get('pidfile') ?? null,
  };
}
