/** One message as a row of a list. */
import { renderBlocks, renderImage } from './blocks.js';
import { counted, dateOf, dayLabel, h, timeElement } from './dom.js';
import { fileAddress, names, renderEmoji, renderMrkdwn } from './render-text.js';
import { formatDate } from './zone.js';

/**
 * @param {object} message
 * @param {{act: Function, headingLevel: number, openThread?: Function, remove?: Function, isBot: Function, canRemove: Function}} context
 */
export function renderMessage(message, context) {
  const row = h('li', {
    class: rowClass(message),
    dataset: { ts: message.ts, user: message.user },
  });
  fillMessage(row, message, context);
  return row;
}

/** Draws a changed message into its row, keeping the focus on the control that had it. */
export function fillMessage(row, message, context) {
  const focused = row.contains(document.activeElement) ? document.activeElement.dataset : undefined;
  row.className = rowClass(message);
  row.replaceChildren(
    avatar(message.user, context.isBot(message.user)),
    h(
      'div',
      { class: 'message-body' },
      heading(message, context),
      h('div', { class: 'message-content' }, content(message, context)),
      reactions(message),
      threadLink(message, context),
    ),
    toolbar(message, context),
  );
  if (focused?.actionId !== undefined) {
    [...row.querySelectorAll('[data-action-id]')]
      .find((one) => one.dataset.actionId === focused.actionId && one.dataset.blockId === focused.blockId)
      ?.focus({ preventScroll: true });
  }
}

function rowClass(message) {
  const isNotice = ['channel_join', 'channel_leave', 'tombstone'].includes(message.subtype);
  return ['message', message.is_ephemeral && 'message-ephemeral', isNotice && 'message-notice']
    .filter(Boolean)
    .join(' ');
}

function avatar(user, isBot) {
  const name = names.user(user) ?? user;
  return h(
    'div',
    { class: isBot ? 'avatar avatar-bot' : `avatar avatar-${hue(user)}`, 'aria-hidden': 'true' },
    isBot ? botMark() : name.slice(0, 1).toUpperCase(),
  );
}

function botMark() {
  return h('img', { src: 'icon.svg', alt: '', width: '36', height: '36' });
}

function hue(user) {
  return [...user].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
}

function heading(message, context) {
  return h(
    'div',
    { class: 'message-heading' },
    h('span', { class: 'message-author' }, names.user(message.user) ?? message.user),
    context.isBot(message.user) && h('span', { class: 'app-badge' }, 'APP'),
    timeElement(message.ts),
    message.is_ephemeral && h('span', { class: 'only-you' }, 'Only visible to you'),
    message.subtype === 'thread_broadcast' && h('span', { class: 'only-you' }, 'replied to a thread'),
  );
}

function content(message, context) {
  const parts = [];
  if (message.blocks === undefined) {
    parts.push(h('div', { class: 'message-text' }, renderMrkdwn(message.text)));
  } else {
    parts.push(
      renderBlocks(message.blocks, {
        act: (element, blockId, choice, control) => context.act(message, element, blockId, choice, control),
        headingLevel: context.headingLevel,
      }),
    );
  }
  if (message.edited !== undefined) {
    parts.push(
      h(
        'span',
        { class: 'edited', title: `Edited ${formatDate(dateOf(message.edited.ts), { timeStyle: 'medium' })}` },
        '(edited)',
      ),
    );
  }
  return [parts, (message.files ?? []).map((file) => renderFile(file))];
}

function renderFile(file) {
  const label = `${file.title} (${formatBytes(file.size)})`;
  if (/^image\/(png|jpeg|gif)$/.test(file.mimetype) || /\.(png|jpe?g|gif)$/i.test(file.name)) {
    return h(
      'figure',
      { class: 'block-image' },
      h('figcaption', {}, label),
      renderImage({ slack_file: { id: file.id }, alt_text: file.alt_txt ?? file.title }),
    );
  }
  return h('a', { class: 'file', href: fileAddress(file.id), download: file.name }, label);
}

function formatBytes(bytes) {
  return bytes < 1_024
    ? `${bytes} B`
    : bytes < 1_048_576
      ? `${(bytes / 1_024).toFixed(1)} KiB`
      : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function reactions(message) {
  if (message.reactions === undefined) {
    return undefined;
  }
  const chips = message.reactions.map((one) => {
    const who = one.users.map((user) => names.user(user) ?? user).join(', ');
    return h('li', { class: 'reaction', title: `${who}: :${one.name}:` }, renderEmoji(one.name), ` ${one.count}`);
  });
  return h('ul', { class: 'reactions', 'aria-label': 'Reactions' }, chips);
}

function threadLink(message, context) {
  if (context.openThread === undefined || (message.reply_count ?? 0) === 0) {
    return undefined;
  }
  return h(
    'button',
    {
      class: 'thread-link',
      type: 'button',
      dataset: { actionId: 'open-thread', blockId: message.ts },
      onclick: () => context.openThread(message.ts),
    },
    h('span', { class: 'thread-count' }, counted(message.reply_count, 'reply', 'replies')),
    h('span', { class: 'thread-last' }, 'Last reply ', lastReply(message.latest_reply)),
  );
}

/** The time of a reply of today, with its day in front when it is older. */
function lastReply(ts) {
  const day = dayLabel(ts);
  return [day === 'Today' ? '' : `${day} at `, timeElement(ts)];
}

function toolbar(message, context) {
  const buttons = [];
  if (context.openThread !== undefined && !message.is_ephemeral) {
    buttons.push(h('button', { type: 'button', onclick: () => context.openThread(message.ts) }, 'Reply'));
  }
  if (context.canRemove(message)) {
    const word = message.is_ephemeral ? 'Dismiss' : 'Delete';
    buttons.push(h('button', { type: 'button', onclick: () => context.remove(message) }, word));
  }
  return buttons.length === 0 ? '' : h('div', { class: 'toolbar' }, buttons);
}
