/** What stands around the messages: title, tabs, the left column, and the menu of narrow screens. */
import { byId } from './dom.js';
import { drawSidebar } from './sidebar.js';
import { drawTabs } from './tabs.js';

/** How a place is called: `# dpu-lab`, or the name of the app for both of its tabs. */
export function titleOf({ info }, place) {
  const channel = info.channels.find((one) => one.id === place.id);
  return place.kind === 'home' || channel?.isIm ? info.app.name : `# ${channel?.name ?? ''}`;
}

/**
 * @param {{info: object, me: object, place: object, unread: object}} state
 * @param {{go: Function, openApp: Function, become: Function}} acts
 */
export function drawFrame(state, acts) {
  const { info, me, place, unread } = state;
  drawSidebar({ info, me, place, unread, ...acts });
  const channel = info.channels.find((one) => one.id === place.id);
  const isApp = place.kind === 'home' || channel?.isIm === true;
  const direct = info.channels.find((one) => one.isIm && one.members.includes(me.id));
  const news = unread[me.name] ?? {};
  drawTabs({
    shown: isApp,
    current: place.kind === 'home' ? 'home' : 'messages',
    unread: place.kind === 'home' ? (news[direct?.id]?.count ?? 0) : 0,
    choose: acts.openApp,
  });
  byId('channel').classList.toggle('has-tabs', isApp);
  const title = titleOf(state, place);
  byId('channel-title').textContent = title;
  byId('channel-purpose').textContent = isApp ? 'App' : (channel?.purpose ?? '');
  byId('member-count').textContent = isApp ? '' : `${channel?.members.length ?? 0} members`;
  const box = byId('composer-text');
  box.placeholder = `Message ${title} as ${me.realName}`;
  byId('composer-label').textContent = box.placeholder;
  document.title = `${title}${place.kind === 'home' ? ' home' : ''} - Pretend Slack`;
  const waiting = Object.entries(news).reduce((sum, [id, one]) => sum + (id === place.id ? 0 : one.mentions), 0);
  byId('menu-open').setAttribute('aria-label', waiting > 0 ? `Open the menu, ${waiting} unread` : 'Open the menu');
  byId('menu-open').classList.toggle('has-news', waiting > 0);
}

export function showConnection(connection) {
  byId('connection').textContent = connection === 'open' ? '' : 'Reconnecting…';
}

/** The left column of narrow screens opens over the page, and Escape closes it. */
export function setUpMenu() {
  byId('menu-open').addEventListener('click', () => {
    byId('app').classList.add('menu-is-open');
    byId('menu-close').focus();
  });
  byId('menu-close').addEventListener('click', () => {
    byId('app').classList.remove('menu-is-open');
    byId('menu-open').focus();
  });
  byId('sidebar').addEventListener('keydown', (event) => event.key === 'Escape' && byId('menu-close').click());
}
