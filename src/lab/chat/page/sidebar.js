/** The left column: channels, the app, and which person one is. */
import { byId, h } from './dom.js';

/** @param {{info: object, me: object, place: {kind: string, id?: string}, unread: Set<string>, go: Function, become: Function}} state */
export function drawSidebar({ info, me, place, unread, go, become }) {
  byId('workspace-name').textContent = info.team.name;
  const mine = info.channels.filter((channel) => channel.members.includes(me.id));
  byId('channels').replaceChildren(
    ...mine
      .filter((channel) => !channel.isIm)
      .map((channel) =>
        item(`# ${channel.name}`, { kind: 'channel', id: channel.id }, place, unread.has(channel.id), go),
      ),
  );
  byId('apps').replaceChildren(
    item(`${info.app.name} home`, { kind: 'home' }, place, false, go),
    ...mine
      .filter((channel) => channel.isIm)
      .map((channel) =>
        item(`${info.app.name} messages`, { kind: 'channel', id: channel.id }, place, unread.has(channel.id), go),
      ),
  );
  drawPeople(info, me, become);
}

function item(label, target, place, isUnread, go) {
  const isCurrent = place.kind === target.kind && place.id === target.id;
  const button = h(
    'button',
    {
      type: 'button',
      class: isUnread ? 'nav-item nav-unread' : 'nav-item',
      'aria-current': isCurrent ? 'page' : undefined,
      onclick: () => go(target),
    },
    h('span', { class: 'nav-label' }, label),
    isUnread && h('span', { class: 'visually-hidden' }, ' (unread)'),
  );
  return h('li', {}, button);
}

function drawPeople(info, me, become) {
  const fieldset = byId('people');
  const humans = info.users.filter((user) => !user.isBot && user.name !== 'slackbot');
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
    });
    fieldset.append(
      h(
        'label',
        { class: 'person' },
        input,
        h('span', { class: 'person-name' }, user.realName),
        user.isRestricted && h('span', { class: 'app-badge' }, 'GUEST'),
      ),
    );
    if (focused && user.id === me.id) {
      input.focus();
    }
  }
}
