import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { HeatmapChart, LineChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapComponent,
} from 'echarts/components';
import { init, setPlatformAPI, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { figureText } from './rate-text.ts';

use([
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  SVGRenderer,
  TitleComponent,
  VisualMapComponent,
]);

/** The subtitle names what all that is drawn has in common. */
export interface ChartHeading {
  readonly title: string;
  readonly subtitle: string;
}

/** Without a browser the widths of texts are guessed, and for a narrower font than this one. */
setPlatformAPI({
  measureText: (text, font) => ({ width: text.length * Number(/([\d.]+)px/.exec(font ?? '')?.[1] ?? 12) * 0.62 }),
});

/** What is drawn. Values on a labelled axis are places in its labels. */
export type Drawing =
  | {
      readonly kind: 'lines';
      readonly lines: readonly { readonly name: string; readonly points: readonly [number, number][] }[];
      readonly labels?: readonly string[];
      readonly x: string;
      readonly y: string;
      readonly level?: { readonly name: string; readonly value: number };
    }
  | {
      readonly kind: 'heat';
      /** x, y, Gb/s. */
      readonly cells: readonly [number, number, number][];
      readonly x: { readonly label: string; readonly values: readonly string[] };
      readonly y: { readonly label: string; readonly values: readonly string[] };
    };

const widthPx = 960;
const heightPx = 540;
/** A phone shows a picture of 960 pixels small and sharp. */
const zoom = 1.5;
const fontFamily = 'DejaVu Sans';
const require = createRequire(import.meta.url);
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${name}`),
);
/** Told apart also by people who do not see red and green as different. Source: Okabe and Ito, Color Universal Design. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];
const shapes = ['circle', 'rect', 'triangle', 'diamond'];

/** A chart as PNG, 1440 x 810, drawn with the fonts of the package: the same on every worker. */
export function drawChart({ title, subtitle }: ChartHeading, drawing: Drawing): Uint8Array {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      color: colours,
      textStyle: { fontFamily },
      title: {
        text: title,
        subtext: subtitle,
        left: 16,
        top: 10,
        textStyle: { fontFamily, fontSize: 16 },
        subtextStyle: { fontFamily, fontSize: 13, color: '#444444' },
      },
      ...(drawing.kind === 'lines' ? lineOptions(drawing) : heatOptions(drawing)),
    });
    const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: fontFamily };
    return new Resvg(chart.renderToSVGString(), { font, fitTo: { mode: 'zoom', value: zoom } }).render().asPng();
  } finally {
    // Its timers would keep the worker alive.
    chart.dispose();
  }
}

function lineOptions({ lines, labels, x, y, level }: Extract<Drawing, { readonly kind: 'lines' }>): object {
  const markLine = level && {
    symbol: 'none',
    lineStyle: { color: '#555555', type: 'dashed', width: 2 },
    label: { formatter: level.name, position: 'insideEndTop', fontFamily },
    data: [{ yAxis: level.value }],
  };
  const axisName = { nameLocation: 'middle', nameTextStyle: { fontFamily, fontSize: 13 } };
  return {
    legend: {
      show: lines.length > 1,
      bottom: 8,
      left: 16,
      right: 16,
      textStyle: { fontFamily },
    },
    grid: { left: 76, right: 32, top: 78, bottom: lines.length > 1 ? 52 + 22 * Math.ceil(lines.length / 2) : 60 },
    xAxis: {
      type: labels === undefined ? 'value' : 'category',
      ...(labels === undefined ? { min: 0, max: 'dataMax' as const } : { data: [...labels] }),
      name: x,
      nameGap: 28,
      ...axisName,
    },
    // From zero: a difference of one percent must look like one.
    yAxis: { type: 'value', min: 0, name: y, nameGap: 52, ...axisName },
    series: lines.map(({ name, points }, index) => ({
      type: 'line',
      name,
      data: points.map((point) => [...point]),
      symbol: shapes[index % shapes.length],
      symbolSize: 6,
      showSymbol: points.length <= 60,
      lineStyle: { width: 2 },
      ...(index === 0 && markLine && { markLine }),
    })),
  };
}

function heatOptions({ cells, x, y }: Extract<Drawing, { readonly kind: 'heat' }>): object {
  const rates = cells.map(([, , gbps]) => gbps);
  const axis = ({ label, values }: typeof x, nameGap: number): object => ({
    type: 'category',
    data: [...values],
    name: label,
    nameLocation: 'middle',
    nameGap,
    nameTextStyle: { fontFamily, fontSize: 13 },
  });
  return {
    grid: { left: 90, right: 130, top: 78, bottom: 60 },
    xAxis: axis(x, 28),
    yAxis: axis(y, 56),
    visualMap: {
      min: 0,
      max: Math.max(...rates) || 1,
      calculable: false,
      orient: 'vertical',
      right: 12,
      top: 'middle',
      text: ['Gb/s', ''],
      inRange: { color: ['#f7fbff', '#6baed6', '#08306b'] },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map((cell) => [...cell]),
        label: {
          show: true,
          fontFamily,
          fontSize: 14,
          formatter: ({ value }: { readonly value: readonly number[] }) => figureText(value[2] ?? 0),
        },
      },
    ],
  };
}
