/** Who is in which user group, and whose account is what; an admin of Slack changes these by hand. */
import { postJson } from './api.js';
import { byId, h } from './dom.js';

/** @param {{users: object[], groups: object[]}} info */
export function drawLabPeople({ users, groups }) {
  const people = users.filter((user) => !user.isBot && user.name !== 'slackbot');
  byId('lab-people').replaceChildren(
    ...groups.map((group) =>
      section(
        `@${group.handle}`,
        people.map((user) =>
          check(user.realName, group.users.includes(user.id), (member) =>
            postJson('membership', { user: user.name, group: group.handle, member }),
          ),
        ),
      ),
    ),
    section(
      'Deactivated accounts',
      people.map((user) =>
        check(user.realName, user.deleted, (deleted) => postJson('account', { user: user.name, deleted })),
      ),
    ),
    section(
      'Guests',
      people.map((user) =>
        check(user.realName, user.isRestricted, (isRestricted) =>
          postJson('account', { user: user.name, isRestricted }),
        ),
      ),
    ),
  );
}

function section(title, rows) {
  return h('details', { class: 'lab-group' }, h('summary', {}, title), rows);
}

function check(label, checked, change) {
  const box = h('input', {
    type: 'checkbox',
    checked,
    onchange: () =>
      change(box.checked).catch(() => {
        box.checked = !box.checked;
      }),
  });
  return h('label', { class: 'lab-check' }, box, label);
}
