import { Buffer } from 'node:buffer';
import type { ArtefactRef } from '../domain/artefacts.ts';
import { ARTEFACT_MAX_BYTES } from '../domain/artefacts.ts';
import type { BenchResult, Condition, Repeat, ResultRecord, Series, Stamp } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import { fitMeasured, rowsInThread } from '../bench/fit-measured.ts';
import { csvOf } from '../bench/result-table.ts';
import type { KeptLog, RunFrame } from './measure-frame.ts';
import { keyOf } from './measure-verdict.ts';
import { warningsOf } from './measure-warnings.ts';

/** Points of the history in a picture. */
const pastRuns = 20;

/** What figures of this pair may not be taken for. */
export function stampOf(slice: { readonly simulated: boolean; readonly testbed?: true }): Stamp | undefined {
  if (slice.simulated) return 'SIMULATED';
  return slice.testbed ? 'TESTBED' : undefined;
}

/** One condition of both cards, in one word where they agree. */
export function ofBoth(conditions: readonly Condition[], name: string): string {
  const values = conditions.filter((condition) => condition.name === name).map(({ value }) => value);
  return values.length === 0 ? 'unknown' : [...new Set(values)].join(' and ');
}

/** Everything that was measured, with what a reader has to know about it. */
export function resultOf(
  context: Pick<ApplyContext, 'runId'>,
  frame: RunFrame,
  measured: {
    readonly cards: readonly [string, string];
    readonly toolVersion: string;
    readonly startedAtMs: number;
    readonly endedAtMs: number;
    readonly conditions: readonly Condition[];
    readonly series: readonly Series[];
  },
  notes: readonly string[],
): BenchResult {
  const { params, pair, stamp } = frame;
  const { kind, tool } = params;
  const { cards, series, conditions } = measured;
  const facts = { cards, conditions, series, lineRateGbps: frame.lineRateGbps };
  const warnings = [...warningsOf(facts), ...notes];
  return { version: 1, run: context.runId, pair, kind, tool, ...(stamp && { stamp }), ...measured, warnings };
}

/** Files the result, draws it and posts it. */
export async function publish(
  context: ApplyContext,
  frame: RunFrame,
  result: BenchResult,
  logs: readonly KeptLog[],
): Promise<void> {
  const records = result.series.map((series) => recordOf(frame, result, series));
  await context.results.add(records);
  const [first] = records;
  const before = first === undefined ? [] : await context.results.history(frame.pair, first.point.kind, pastRuns);
  const past = before.filter(({ key }) => key === first?.key);
  const baseline = first && (await context.results.baseline(first.key));
  const files: ArtefactRef[] = [];
  for (const { name, png, altText } of await frame.parts.pictures(result, past, baseline))
    files.push(
      await context.artefact({ name: `run${result.run}-${name}.png`, mimeType: 'image/png', content: png, altText }),
    );
  const said = frame.parts.say(result);
  if (said.table.rows.length > rowsInThread)
    files.push(
      await context.artefact({
        name: `run${result.run}-table.csv`,
        mimeType: 'text/csv',
        content: Buffer.from(csvOf(said.table)),
      }),
    );
  files.push(
    await context.artefact({
      name: `run${result.run}-result.json`,
      mimeType: 'application/json',
      content: fittingJson(result),
    }),
    await context.artefact({
      name: `run${result.run}-tool-logs.txt`,
      mimeType: 'text/plain',
      content: fittingLogs(logs),
    }),
  );
  await context.measured(
    fitMeasured({
      id: `run${result.run}-result`,
      ...said,
      ...(result.stamp && { stamp: result.stamp }),
      warnings: result.warnings,
      // What is worse was measured a second time: see measure-point.ts.
      ...(result.series.some(({ verdict }) => verdict.kind === 'worse') && { regression: true as const }),
      files,
    }),
  );
}

function recordOf(frame: RunFrame, result: BenchResult, series: Series): ResultRecord {
  const { point, repeats, summary, proof } = series;
  return {
    run: result.run,
    pair: result.pair,
    atMs: result.endedAtMs,
    key: keyOf(frame, { point }, proof),
    point,
    ...(result.stamp && { stamp: result.stamp }),
    repeatsGbps: repeats.map(({ receivedGbps }) => receivedGbps),
    medianGbps: summary.medianGbps,
    offload: proof.verdict,
    firmware: frame.firmware,
    image: frame.image,
  };
}

/** Long benches have more samples than a file may hold: then every second one is left out, and that is said. */
export function fittingJson(result: BenchResult): Uint8Array {
  for (let step = 1; ; step *= 2) {
    const note = `The file holds one sample in ${step}: with all of them it would be too large.`;
    const thinned = step === 1 ? result : { ...thin(result, step), warnings: [...result.warnings, note] };
    const content = Buffer.from(`${JSON.stringify(thinned, null, step === 1 ? 1 : 0)}\n`);
    if (content.length <= ARTEFACT_MAX_BYTES || step > 4_096) return content;
  }
}

function thin(result: BenchResult, step: number): BenchResult {
  const thinner = (repeat: Repeat): Repeat => ({
    ...repeat,
    samples: repeat.samples.filter((_sample, index) => index % step === 0),
  });
  const series = result.series.map((one) => ({
    ...one,
    repeats: one.repeats.map(thinner),
    ...(one.unconfirmed && { unconfirmed: one.unconfirmed.map(thinner) }),
  }));
  return { ...result, series };
}

function fittingLogs(logs: readonly KeptLog[]): Uint8Array {
  const text = logs.map(({ name, text: log }) => `===== ${name}\n${log.trimEnd()}\n`).join('\n');
  const content = Buffer.from(text === '' ? 'No tool has logged anything.\n' : text);
  if (content.length <= ARTEFACT_MAX_BYTES) return content;
  const note = Buffer.from('\n===== the rest is left out: the file would be too large\n');
  return Buffer.concat([content.subarray(0, ARTEFACT_MAX_BYTES - note.length), note]);
}
