/** The left column: channels, the app, and which person one is. */
import { byId, h } from './dom.js';

/**
 * @param {{info: object, me: object, place: {kind: string, id?: string}, unread: object, go: Function, openApp: Function,
 *   become: Function}} state `unread`: handle -> conversation id -> `{ count, mentions }`
 */
export function drawSidebar({ info, me, place, unread, go, openApp, become }) {
  const focused = document.activeElement?.closest('.nav-item')?.dataset.key;
  byId('workspace-name').textContent = info.team.name;
  const mine = info.channels.filter((channel) => channel.members.includes(me.id));
  const news = unread[me.name] ?? {};
  const direct = mine.find((channel) => channel.isIm);
  const isInApp = place.kind === 'home' || (direct !== undefined && place.id === direct.id);
  byId('channels').replaceChildren(
    ...mine
      .filter((channel) => !channel.isIm)
      .map((channel) =>
        item({
          key: channel.id,
          sign: h('span', { class: 'nav-sign', 'aria-hidden': 'true' }, '#'),
          label: channel.name,
          note: channel.isShared === true ? 'shared' : undefined,
          isCurrent: place.id === channel.id,
          news: news[channel.id],
          open: () => go({ kind: 'channel', id: channel.id }),
        }),
      ),
  );
  byId('apps').replaceChildren(
    item({
      key: 'app',
      sign: h('img', { class: 'nav-mark', src: 'icon.svg', alt: '', width: '18', height: '18' }),
      label: info.app.name,
      isCurrent: isInApp,
      news: direct === undefined ? undefined : news[direct.id],
      open: () => openApp((news[direct?.id]?.count ?? 0) > 0 ? 'messages' : 'home'),
    }),
  );
  drawPeople(info, me, unread, become);
  [...document.querySelectorAll('.nav-item')].find((one) => one.dataset.key === focused)?.focus();
}

function item({ key, sign, label, note, isCurrent, news, open }) {
  const isUnread = !isCurrent && (news?.count ?? 0) > 0;
  const button = h(
    'button',
    {
      type: 'button',
      class: isUnread ? 'nav-item nav-unread' : 'nav-item',
      'aria-current': isCurrent ? 'page' : undefined,
      dataset: { key },
      onclick: open,
    },
    sign,
    h('span', { class: 'nav-label' }, label),
    note && h('span', { class: 'nav-note' }, note),
    isUnread && news.mentions === 0 && h('span', { class: 'visually-hidden' }, ' (unread)'),
    isUnread && badge(news.mentions),
  );
  return h('li', {}, button);
}

/** How many messages are for the person; nothing for none. */
function badge(count) {
  return (
    count > 0 &&
    h('span', { class: 'badge' }, String(count), h('span', { class: 'visually-hidden' }, ' unread for you'))
  );
}

function drawPeople(info, me, unread, become) {
  const fieldset = byId('people');
  const humans = info.users.filter((user) => !user.isBot && !user.deleted && user.name !== 'slackbot');
  const focused = fieldset.contains(document.activeElement);
  for (const old of fieldset.querySelectorAll('label')) {
    old.remove();
  }
  for (const user of humans) {
    const input = h('input', {
      type: 'radio',
      name: 'person',
      value: user.name,
      checked: user.id === me.id,
      onchange: () => become(user.name),
      'aria-label': user.realName,
      'aria-describedby': `person-${user.name}`,
    });
    const waiting = Object.values(unread[user.name] ?? {}).reduce((sum, one) => sum + one.mentions, 0);
    fieldset.append(
      h(
        'label',
        { class: 'person' },
        input,
        h('span', { class: 'person-name' }, user.realName),
        h(
          'span',
          { class: 'person-notes', id: `person-${user.name}` },
          user.isRestricted && h('span', { class: 'app-badge' }, 'GUEST'),
          user.teamId !== info.team.id && h('span', { class: 'app-badge' }, 'EXTERNAL'),
          user.id !== me.id && badge(waiting),
        ),
      ),
    );
    if (focused && user.id === me.id) {
      input.focus();
    }
  }
}
