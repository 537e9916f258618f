import { resultLine, resultTitle } from '../bench/result-line.ts';
import { resultTable } from '../bench/result-table.ts';
import { summarise } from '../bench/summary.ts';
import { judgeAgainst } from '../bench/verdict.ts';
import { undoPathMtu } from './bench-mtu.ts';
import { beginProof, endProof, watchProof } from './bench-proof.ts';
import { readConditions } from './measure-conditions.ts';
import { setProvenMtu } from './measure-mtu.ts';
import { iperf3Tool } from './measure-tool-iperf3.ts';
import { testpmdTool } from './measure-tool-testpmd.ts';
import type { MeasureParts, Picture } from './measure-wiring.ts';

/** What the measuring step is made of. */
export const measureParts: MeasureParts = {
  kinds: ['raw', 'ipsec'],
  tools: { testpmd: testpmdTool, iperf3: iperf3Tool },
  readConditions,
  beginProof,
  watchProof,
  endProof,
  setMtu: setProvenMtu,
  undoMtu: undoPathMtu,
  summarise,
  judge: judgeAgainst,
  pictures: async (result, past, baseline) => {
    // The chart library is half of all that a worker would load, and most workers never draw.
    const { historyChart, samplesChart, sweepChart } = await import('../bench/chart.ts');
    // The first one stands beside the line to read: of a sweep, the settings side by side.
    const charts = { sweep: sweepChart(result), samples: samplesChart(result), history: historyChart(past, baseline) };
    return Object.entries(charts).flatMap(([name, chart]): Picture[] =>
      chart === undefined ? [] : [{ name, ...chart }],
    );
  },
  say: (result) => ({ title: resultTitle(result), line: resultLine(result), table: resultTable(result) }),
};
