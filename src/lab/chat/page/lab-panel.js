/** Faults to switch on, what the lab has counted, and who is in which user group. */
import { deleteJson, getJson, postJson } from './api.js';
import { byId, h } from './dom.js';
import { drawLabPeople } from './lab-people.js';

const post = 'chat.postMessage';

const switches = [
  { label: 'Slack is down', fault: { fault: 'slack-down' } },
  { label: 'Slack is down for 2 minutes', fault: { fault: 'slack-down', forMs: 120_000 } },
  { label: 'Cut the sockets', fault: { fault: 'socket-disconnect', reason: 'cut' } },
  { label: 'Ask the sockets to reconnect', fault: { fault: 'socket-disconnect', reason: 'refresh_requested' } },
  { label: 'Renew sockets every 10 s', fault: { fault: 'socket-refresh', everyMs: 10_000 } },
  { label: 'Deliver everything twice', fault: { fault: 'duplicate' } },
  { label: 'Lose the next post’s reply', fault: { fault: 'lost-reply', method: post, times: 1 } },
  { label: 'Answer posts 2 s late', fault: { fault: 'slow', method: post, delayMs: 2_000 } },
  { label: 'Rate-limit the next call', fault: { fault: 'rate-limit-now', retryAfterSec: 3, times: 1 } },
  {
    label: 'Fail the next update',
    fault: { fault: 'api-error', method: 'chat.update', error: 'internal_error', times: 1 },
  },
];

const refreshMs = 2_000;

/** @param {() => object} info What `GET info` answered last. */
export function setUpLabPanel(info) {
  const panel = byId('lab-panel');
  byId('lab-switches').replaceChildren(
    ...switches.map(({ label, fault }) => button(label, () => postJson('faults', fault))),
  );
  let timer;
  panel.addEventListener('toggle', () => {
    clearInterval(timer);
    if (panel.open) {
      drawLabPeople(info());
      void refresh();
      timer = setInterval(() => void refresh(), refreshMs);
    }
  });
}

function button(label, act) {
  const onclick = async () => {
    await act();
    await refresh();
  };
  return h('button', { type: 'button', class: 'lab-button', onclick }, label);
}

async function refresh() {
  const [{ faults }, stats] = await Promise.all([getJson('faults'), getJson('stats')]);
  const calls = Object.values(stats.calls).reduce((sum, one) => sum + one.ok, 0);
  const figures = [
    ['API calls', calls],
    ['Rate-limited (429)', stats.rateLimited],
    ['Refused blocks', stats.invalidBlocks],
    ['Slowest ack', `${Math.round(stats.acks.maxMs)} ms`],
    ['Missed acks', stats.acks.timeouts + stats.acks.dispatchFailed + stats.acks.refused],
    ['Open sockets', stats.sockets.open],
  ];
  const on = `On: ${faults.map((one) => one.fault).join(', ')}`;
  const area = byId('lab-faults');
  // Drawn anew only when something changed: the focus stays where it is, and nothing is read out again and again.
  if (area.dataset.on !== on) {
    area.dataset.on = on;
    area.replaceChildren(
      ...(faults.length === 0
        ? []
        : [h('p', { class: 'lab-faults' }, on), button('Clear all faults', () => deleteJson('faults'))]),
    );
  }
  byId('lab-stats').replaceChildren(
    ...figures.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]),
  );
}
