import { roomOf, type Import } from './sources.ts';

const roots = ['bot', 'worker', 'cli'];

/**
 * Room -> rooms it may import. A room may always import itself. Composition roots wire everything and are imported by
 * nobody. `cli` is the folder of command-line commands beside the root src/cli.ts. The files of the catalogue are imported
 * by src/errors.ts alone, which merges them.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  errors: ['errors/files', 'domain'],
  'errors/files': ['domain'],
  config: ['config-variables', 'domain', 'errors'],
  'config-variables': ['domain', 'errors'],
  'inventory-file': ['inventory-checks', 'domain', 'errors'],
  'inventory-checks': ['domain', 'errors'],
  log: ['domain', 'errors'],
  shutdown: ['log', 'domain', 'errors'],
  'serve-metrics': ['log', 'domain', 'errors'],
  report: ['domain', 'errors'],
  transport: ['domain', 'errors'],
  store: ['domain', 'errors'],
  queue: ['jobs/payloads', 'domain', 'errors'],
  bench: ['domain', 'errors'],
  facts: ['domain', 'errors'],
  steps: ['facts', 'bench', 'domain', 'errors'],
  looks: ['steps', 'facts', 'domain', 'errors'],
  engine: ['domain', 'errors'],
  slack: ['report', 'store', 'domain', 'errors'],
  'jobs/payloads': ['domain'],
  jobs: ['jobs/payloads', 'steps', 'facts', 'bench', 'domain'],
  commands: ['jobs/payloads', 'queue', 'store', 'report', 'bench', 'domain', 'errors'],
  lab: [],
};

function ruleRoom(path: string): string {
  if (path.startsWith('src/errors/')) return 'errors/files';
  return path === 'jobs/payloads.ts' ? 'jobs/payloads' : roomOf(path);
}

/** Imports between rooms that the plan of the house does not allow, as sentences. */
export function roomViolations(imports: readonly Import[]): string[] {
  return imports
    .filter((one) => !one.isPackage)
    .filter((one) => !mayImport(ruleRoom(one.from), ruleRoom(one.to)))
    .map((one) => `${one.from} imports ${one.to}`);
}

function mayImport(from: string, to: string): boolean {
  // The lab and what it pretends to be share nothing: a simulator with our parser would agree with its bugs.
  if (from === 'lab' || to === 'lab') return from === to;
  // The command line starts the two processes (`dpubot bot`, `dpubot worker`); nothing else may.
  if (roots.includes(to)) return from === to || from === 'cli';
  if (roots.includes(from)) return true;
  const allowed = rooms[from];
  return allowed !== undefined && (from === to || allowed.includes(to));
}

/** Package -> who may import it. `typesFor`: rooms that may import its types only. */
const libraries: Readonly<
  Record<string, { readonly owners: readonly string[]; readonly typesFor?: readonly string[] }>
> = {
  ssh2: { owners: ['src/transport/ssh', 'src/lab/rack'] },
  axios: { owners: ['src/transport/redfish'] },
  '@xterm/headless': { owners: ['src/transport/console'] },
  bullmq: { owners: ['src/queue'] },
  ioredis: { owners: ['src/store', 'src/queue'] },
  '@slack/bolt': { owners: ['src/slack'] },
  '@slack/web-api': { owners: ['src/slack'], typesFor: ['src/lab/chat'] },
  '@slack/socket-mode': { owners: ['src/slack'] },
  '@slack/types': { owners: ['src/slack'], typesFor: ['src/report', 'src/lab/chat'] },
  undici: { owners: ['src/slack'] },
  'age-encryption': { owners: ['src/store'] },
  'prom-client': { owners: ['src/serve-metrics.ts', 'src/metrics.ts'] },
  'shell-quote': { owners: ['commands', 'src/lab/rack'] },
  yaml: { owners: ['src/inventory-file.ts', 'src/inventory-checks.ts', 'src/lab/inventory.ts'] },
  'fastest-levenshtein': { owners: ['commands', 'src/domain/targets.ts'] },
  unixcrypt: { owners: ['src/steps/flash-arm-password.ts'] },
  echarts: { owners: ['src/bench/draw-chart.ts'] },
  '@resvg/resvg-js': { owners: ['src/bench/draw-chart.ts'] },
  'simple-statistics': { owners: ['src/bench', 'src/domain/step-times.ts'] },
  canonicalize: { owners: ['src/domain/canonical.ts'] },
  zod: { owners: ['src', 'commands', 'jobs'] },
  pino: { owners: ['src/bot.ts', 'src/worker.ts', 'src/cli.ts', 'src/log.ts'], typesFor: ['src'] },
  // Of the lab only: they are not installed where dpubot runs for real.
  express: { owners: ['src/lab'] },
  ws: { owners: ['src/lab'] },
  selfsigned: { owners: ['src/lab/rack'] },
};

/** Node's modules that do nothing but compute; the rest is I/O and forbidden in the pure rooms. */
const pureNodeModules = ['node:crypto', 'node:util', 'node:assert', 'node:buffer'];
/** The fonts of a package are found by where the package is. */
const nodeExceptions: Readonly<Record<string, readonly string[]>> = { 'node:module': ['src/bench/draw-chart.ts'] };
const pureRooms = [
  'src/domain',
  'src/errors.ts',
  'src/errors',
  'src/report',
  'src/bench',
  'src/facts',
  'src/steps',
  'src/looks',
  'src/engine',
];

/** Imports of packages by files that do not own them, as sentences. */
export function libraryViolations(imports: readonly Import[]): string[] {
  return imports.filter((one) => one.isPackage && !mayUse(one)).map((one) => `${one.from} imports ${one.to}`);
}

function mayUse({ from, to, typeOnly }: Import): boolean {
  if (to.startsWith('node:'))
    return typeOnly || pureNodeModules.includes(to) || !isIn(from, pureRooms) || isIn(from, nodeExceptions[to] ?? []);
  const library = libraries[to];
  if (library === undefined) return false;
  return isIn(from, library.owners) || (typeOnly && isIn(from, library.typesFor ?? []));
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}

/**
 * Every cycle found, written from its alphabetically first file. Imports of types count too, except in the lab, where one
 * type names all parts of a pretend service and every part takes it.
 */
export function cyclesIn(imports: readonly Import[]): string[] {
  const graph = new Map<string, string[]>();
  for (const { from, to, isPackage, typeOnly } of imports)
    if (!isPackage && !(typeOnly && isIn(from, ['src/lab']))) graph.set(from, [...(graph.get(from) ?? []), to]);
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.add(describeCycle(path.slice(start)));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return [...found].toSorted();
}

function describeCycle(files: readonly string[]): string {
  const first = files.indexOf(files.toSorted()[0] ?? '');
  const turned = [...files.slice(first), ...files.slice(0, first)];
  return [...turned, turned[0]].join(' -> ');
}
