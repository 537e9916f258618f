/** Status emoji as drawings of our own: the same everywhere, also where no emoji font is installed. */

const check = 'M5 10.5l3.2 3.2L15 7';
const cross = 'M6 6l8 8M14 6l-8 8';
const lockBody = 'M5 9h10v7.5H5z';

/** Short code -> a shape, its paths, and the colour class. */
export const symbols = {
  white_check_mark: { shape: 'tile', tone: 'good', path: check },
  heavy_check_mark: { tone: 'good', path: check },
  x: { tone: 'bad', path: cross },
  heavy_multiplication_x: { tone: 'bad', path: cross },
  warning: { tone: 'warn', path: 'M10 3.5l7.5 13h-15zM10 8.5v4M10 14.4v.2' },
  no_entry: { shape: 'disc', tone: 'bad', path: 'M6 10h8' },
  no_entry_sign: { tone: 'bad', path: 'M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15M4.8 4.8l10.4 10.4' },
  octagonal_sign: { tone: 'bad', path: 'M7 2.8h6L17.2 7v6L13 17.2H7L2.8 13V7z' },
  hourglass_flowing_sand: { tone: 'busy', path: 'M5 3h10M5 17h10M6 3c0 4 4 5 4 7s-4 3-4 7M14 3c0 4-4 5-4 7s4 3 4 7' },
  hourglass: { tone: 'busy', path: 'M5 3h10M5 17h10M6 3c0 4 4 5 4 7s-4 3-4 7M14 3c0 4-4 5-4 7s4 3 4 7' },
  arrows_counterclockwise: {
    tone: 'busy',
    path: 'M16 8a6.2 6.2 0 00-11.5-1.5M4 3v4h4M4 12a6.2 6.2 0 0011.5 1.5M16 17v-4h-4',
  },
  stopwatch: { tone: 'plain', path: 'M10 5a6 6 0 100 12 6 6 0 000-12M10 8v3.2l2 1.4M8 2.5h4' },
  double_vertical_bar: { tone: 'plain', path: 'M7 4v12M13 4v12' },
  arrow_forward: { tone: 'plain', path: 'M6 4l9 6-9 6z' },
  lock: { tone: 'plain', path: `${lockBody}M7 9V6.5a3 3 0 016 0V9` },
  unlock: { tone: 'plain', path: `${lockBody}M7 9V6a3 3 0 015.6-1.4` },
  mag: { tone: 'plain', path: 'M8.5 3a5.5 5.5 0 100 11 5.5 5.5 0 000-11M12.5 12.5L17 17' },
  information_source: { tone: 'info', path: 'M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15M10 9v4.5M10 6.2v.2' },
  bar_chart: { tone: 'plain', path: 'M3 17h14M5.5 14v-4M10 14V5M14.5 14V8' },
  chart_with_upwards_trend: { tone: 'plain', path: 'M3 3v14h14M5.5 13l3.5-4 3 2 4.5-6' },
  test_tube: { tone: 'plain', path: 'M7 3h6M8 3v11a2 2 0 004 0V3M8 10h4' },
  key: { tone: 'plain', path: 'M7 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7M10.5 10H17v3M14 10v2' },
  eyes: { tone: 'plain', path: 'M2.5 10s3-5 7.5-5 7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5zM10 8a2 2 0 100 4 2 2 0 000-4' },
  red_circle: { shape: 'disc', tone: 'bad', path: '' },
  large_green_circle: { shape: 'disc', tone: 'good', path: '' },
  large_yellow_circle: { shape: 'disc', tone: 'warn', path: '' },
  large_orange_circle: { shape: 'disc', tone: 'warn', path: '' },
  large_blue_circle: { shape: 'disc', tone: 'info', path: '' },
  white_circle: { tone: 'plain', path: 'M10 3a7 7 0 100 14 7 7 0 000-14' },
  black_circle: { shape: 'disc', tone: 'plain', path: '' },
};

const namespace = 'http://www.w3.org/2000/svg';

/** The drawing of a short code, or undefined. */
export function drawSymbol(name) {
  const symbol = symbols[name];
  if (symbol === undefined) {
    return undefined;
  }
  const svg = svgElement('svg', { viewBox: '0 0 20 20', role: 'img', 'aria-label': name.replaceAll('_', ' ') });
  svg.setAttribute('class', `symbol symbol-${symbol.tone}${symbol.shape === undefined ? '' : ' symbol-filled'}`);
  if (symbol.shape === 'tile') {
    svg.append(svgElement('rect', { x: 2, y: 2, width: 16, height: 16, rx: 4, class: 'symbol-ground' }));
  } else if (symbol.shape === 'disc') {
    svg.append(svgElement('circle', { cx: 10, cy: 10, r: 7.5, class: 'symbol-ground' }));
  }
  if (symbol.path !== '') {
    svg.append(svgElement('path', { d: symbol.path }));
  }
  return svg;
}

let hasColours;

/** Whether the browser can draw emoji at all; without a font for them it draws empty boxes. */
export function canDrawEmoji() {
  hasColours ??= measureColours();
  return hasColours;
}

function measureColours() {
  const canvas = document.createElement('canvas');
  canvas.width = 16;
  canvas.height = 16;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.font = '14px sans-serif';
  pen.fillText('🎉', 0, 13);
  const { data } = pen.getImageData(0, 0, 16, 16);
  return data.some((value, index) => index % 4 === 0 && value !== data[index + 2]);
}

function svgElement(tag, attributes) {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  return element;
}
