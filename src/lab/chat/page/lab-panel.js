/** Faults to switch on, and what the lab has counted. */
import { deleteJson, getJson, postJson } from './api.js';
import { byId, h } from './dom.js';

const switches = [
  { label: 'Slack is down', fault: { fault: 'slack-down' } },
  { label: 'Cut the sockets', fault: { fault: 'socket-disconnect', reason: 'cut' } },
  { label: 'Lose the next post’s reply', fault: { fault: 'lost-reply', method: 'chat.postMessage', times: 1 } },
  { label: 'Rate-limit the next call', fault: { fault: 'rate-limit-now', retryAfterSec: 3, times: 1 } },
  {
    label: 'Fail the next update',
    fault: { fault: 'api-error', method: 'chat.update', error: 'internal_error', times: 1 },
  },
];

const refreshMs = 2_000;

export function setUpLabPanel() {
  const panel = byId('lab-panel');
  let timer;
  panel.addEventListener('toggle', () => {
    clearInterval(timer);
    if (panel.open) {
      void refresh();
      timer = setInterval(() => void refresh(), refreshMs);
    }
  });
}

async function refresh() {
  const [{ faults }, stats] = await Promise.all([getJson('faults'), getJson('stats')]);
  const calls = Object.values(stats.calls).reduce((sum, one) => sum + one.ok, 0);
  const figures = [
    ['API calls', calls],
    ['Rate-limited (429)', stats.rateLimited],
    ['Refused blocks', stats.invalidBlocks],
    ['Slowest ack', `${Math.round(stats.acks.maxMs)} ms`],
    ['Missed acks', stats.acks.timeouts + stats.acks.dispatchFailed],
    ['Open sockets', stats.sockets.open],
  ];
  byId('lab-controls').replaceChildren(
    h(
      'div',
      { class: 'lab-switches' },
      switches.map(({ label, fault }) =>
        h(
          'button',
          { type: 'button', class: 'lab-button', onclick: () => change(() => postJson('faults', fault)) },
          label,
        ),
      ),
    ),
    faults.length > 0 ? h('p', { class: 'lab-faults' }, `On: ${faults.map((one) => one.fault).join(', ')}`) : '',
    faults.length > 0
      ? h(
          'button',
          { type: 'button', class: 'lab-button', onclick: () => change(() => deleteJson('faults')) },
          'Clear all faults',
        )
      : '',
    h(
      'dl',
      { class: 'lab-stats' },
      figures.map(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]),
    ),
  );
}

async function change(act) {
  await act();
  await refresh();
}
