/** The two tabs of the app: its Home, and the direct messages with it. */
import { byId, counted, h } from './dom.js';

/** @param {{shown: boolean, current: 'home' | 'messages', unread: number, choose: Function}} state */
export function drawTabs({ shown, current, unread, choose }) {
  const list = byId('tabs');
  const hadFocus = list.contains(document.activeElement);
  list.hidden = !shown;
  const tab = (name, label, panel, badge) =>
    h(
      'button',
      {
        type: 'button',
        class: 'tab',
        role: 'tab',
        id: `tab-${name}`,
        'aria-selected': String(current === name),
        'aria-controls': panel,
        tabindex: current === name ? '0' : '-1',
        onclick: () => choose(name),
        onkeydown: (event) => {
          if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
            choose(name === 'home' ? 'messages' : 'home');
          }
        },
      },
      label,
      badge > 0 &&
        h(
          'span',
          { class: 'badge' },
          String(badge),
          h('span', { class: 'visually-hidden' }, ` ${counted(badge, 'new message').replace(/^\d+ /, '')}`),
        ),
    );
  list.replaceChildren(tab('home', 'Home', 'home', 0), tab('messages', 'Messages', 'messages', unread));
  if (hadFocus) {
    byId(`tab-${current}`).focus();
  }
}
