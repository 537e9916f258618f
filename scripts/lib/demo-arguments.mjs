/** The command line of the demo. Plain JavaScript, because wrong usage is told before anything is installed. */
import { parseArgs } from 'node:util';

export const usage = `npm run demo [-- OPTIONS]

Starts a private Redis, a pretend rack (real SSH and HTTPS on loopback), a pretend Slack, the bot and a worker.
Without options it prints the address of the pretend Slack's page and runs until Ctrl-C.

  --say LINE         type LINE as ana, then wait until its run has stopped; may be given several times
  --approve          press Approve as ben when the line before it (and later ones) asks; harmless when nothing asks
  --reject           press Reject instead
  --fault NAME       switch a fault on; NAME, NAME@TARGET or NAME@TARGET:USES
  --clear NAME       switch it off
  --faults           list the faults and end
  --exit             end after the last action; without it the demo goes on until Ctrl-C
  --json FILE        write the final runs as JSON
  --artifacts DIR    keep charts and other files of the thread
  --timeout TIME     for all lines together: 90s, 10m, 1h; default 10m
  --help             this text

--say, --fault and --clear act in the order given.
Exit code: 0 every run ended done, satisfied, planned or activation pending; 1 any did not, or a line was refused or
nobody answered, or the time was up; 2 wrong usage.

  npm run demo -- --say '/dpu provision rack1' --approve --exit
`;

/**
 * @typedef {{ kind: 'say', line: string, press: 'approve' | 'reject' | undefined }} SayAction
 * @typedef {{ kind: 'fault', name: string, target?: string, uses?: number }} FaultAction
 * @typedef {{ kind: 'clear', name: string }} ClearAction
 * @typedef {SayAction | FaultAction | ClearAction} Action
 *
 * @typedef {object} DemoArguments
 * @property {readonly Action[]} actions
 * @property {boolean} exit
 * @property {boolean} help
 * @property {boolean} listFaults
 * @property {string} [json]
 * @property {string} [artifacts]
 * @property {number} timeoutMs
 */

/** Wrong usage; exit code 2. */
export class UsageError extends Error {}

const options = /** @type {const} */ ({
  say: { type: 'string', multiple: true },
  approve: { type: 'boolean', multiple: true },
  reject: { type: 'boolean', multiple: true },
  fault: { type: 'string', multiple: true },
  clear: { type: 'string', multiple: true },
  faults: { type: 'boolean' },
  exit: { type: 'boolean' },
  json: { type: 'string' },
  artifacts: { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
});

/**
 * @param {readonly string[]} argv
 * @returns {DemoArguments}
 */
export function readDemoArguments(argv) {
  const { values, tokens } = parse(argv);
  /** @type {Action[]} */
  const actions = [];
  /** @type {'approve' | 'reject' | undefined} */
  let press;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const value = token.value ?? '';
    if (token.name === 'say') actions.push({ kind: 'say', line: lineOf(value), press });
    if (token.name === 'fault') actions.push(faultOf(value));
    if (token.name === 'clear') actions.push({ kind: 'clear', name: value });
    if (token.name === 'approve' || token.name === 'reject') {
      press = token.name;
      // "when the line before it asks": of the lines typed so far, only the last can still be waiting.
      const last = actions.findLast((action) => action.kind === 'say');
      if (last?.kind === 'say') last.press = press;
    }
  }
  return {
    actions,
    exit: values.exit === true,
    help: values.help === true,
    listFaults: values.faults === true,
    timeoutMs: durationOf(values.timeout ?? '10m'),
    ...(values.json !== undefined && { json: values.json }),
    ...(values.artifacts !== undefined && { artifacts: values.artifacts }),
  };
}

/** @param {readonly string[]} argv */
function parse(argv) {
  try {
    return parseArgs({ args: [...argv], options, tokens: true, strict: true, allowPositionals: false });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} value */
function lineOf(value) {
  if (value.trim() === '') throw new UsageError('--say needs a line, for example --say "/dpu help".');
  return value;
}

/**
 * @param {string} value
 * @returns {FaultAction}
 */
function faultOf(value) {
  const match = /^([a-z0-9-]+)(?:@([a-z0-9.-]+))?(?::([1-9]\d{0,3}))?$/.exec(value);
  const [, name, target, uses] = match ?? [];
  if (name === undefined) throw new UsageError(`--fault ${value}: write NAME, NAME@TARGET or NAME@TARGET:USES.`);
  return {
    kind: 'fault',
    name,
    ...(target !== undefined && { target }),
    ...(uses !== undefined && { uses: Number(uses) }),
  };
}

/** @param {string} text */
function durationOf(text) {
  const match = /^(\d{1,5})(s|m|h)$/.exec(text);
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (unitMs === undefined || Number(match?.[1]) === 0)
    throw new UsageError(`--timeout ${text}: write a time as 90s, 10m or 1h.`);
  return Number(match?.[1]) * unitMs;
}
