/** The page: who one is, where one is, and what happens there. */
import { press, removeMessage } from './actions.js';
import { follow, getJson, postJson } from './api.js';
import { setUpComposer } from './composer.js';
import { Modal } from './dialogs.js';
import { byId } from './dom.js';
import { readValues } from './elements.js';
import { drawFrame, setUpMenu, showConnection, titleOf } from './frame.js';
import { whenFree } from './hand.js';
import { drawHome } from './home.js';
import { fillNames } from './known.js';
import { setUpLabPanel } from './lab-panel.js';
import { Pane } from './pane.js';
import { names } from './render-text.js';
import { followUnread } from './unread.js';
import { setZone } from './zone.js';

const wideEnough = matchMedia('(min-width: 1100px)');
const state = {
  info: await getJson('info'),
  me: undefined,
  place: { kind: 'channel', id: undefined },
  threadTs: undefined,
  /** Roots whose thread has opened by itself once. */
  opened: new Set(),
  /** Handle -> conversation id -> `{ count, mentions }`, of everybody. */
  unread: {},
  stop: () => {},
};

/** Events that wait for a list to load. */
let waiting;
let loads = 0;

const rows = {
  act: (message, element, blockId, choice, control) =>
    act({ channel: message.channel, ts: message.ts }, element, blockId, choice, control),
  isBot: (id) => state.info.users.some((user) => user.id === id && user.isBot),
  canRemove: (message) =>
    message.subtype !== 'tombstone' && (message.is_ephemeral || message.user === state.me.id || state.me.isAdmin),
  remove: (message) => removeMessage(state.me, message),
};
const channelPane = new Pane(byId('messages'), byId('scroller'), {
  ...rows,
  headingLevel: 2,
  openThread: (ts) => openThread(ts, true),
});
const threadPane = new Pane(byId('thread-messages'), byId('thread-scroller'), { ...rows, headingLevel: 3 });
const modal = new Modal(act);
const draw = () => whenFree(() => drawFrame(state, { go, openApp, become }));
const unread = followUnread(state, draw);
fillNames(state);

function act(where, element, blockId, choice, control) {
  const around = control.closest('.modal form, li.message, .home');
  const values = around === null ? {} : readValues(around);
  return press(state.info.app.name, { user: state.me.name, ...where, blockId, choice, values }, element, control);
}

async function become(name) {
  state.info = await getJson('info');
  const people = state.info.users.filter((user) => !user.deleted && !user.isBot && user.name !== 'slackbot');
  state.me = people.find((user) => user.name === name) ?? people[0];
  setZone(state.me.tz);
  sessionStorage.setItem('person', state.me.name);
  state.stop();
  const mine = state.info.channels.filter((channel) => channel.members.includes(state.me.id));
  const { kind, id } = state.place;
  const isStillMine = kind === 'home' || mine.some((channel) => channel.id === id);
  const { me } = state;
  const lastEventId = await go(isStillMine ? state.place : { kind: 'channel', id: mine[0]?.id });
  if (state.me !== me) {
    // Someone else was chosen meanwhile, and that choice follows the events.
    return;
  }
  state.stop = follow(state.me.name, lastEventId, {
    onEvent: (event) => whenFree(() => take(event)),
    onState: showConnection,
  });
  modal.show(state.me.name, (await getJson('views', { user: state.me.name })).modals.at(-1));
}

/** Goes to a channel or to App Home; answers the id of the newest event its contents contain. */
async function go(place, threadTs) {
  const isSamePlace = state.place.kind === place.kind && state.place.id === place.id;
  state.place = place;
  byId('app').classList.remove('menu-is-open');
  byId('home').hidden = place.kind !== 'home';
  byId('messages').hidden = place.kind === 'home';
  byId('composer').hidden = place.kind === 'home';
  draw();
  const stillOpen = isSamePlace ? (threadTs ?? state.threadTs) : threadTs;
  if (place.kind === 'home') {
    closeThread();
    const { home } = await getJson('views', { user: state.me.name });
    whenFree(() => drawHome(home, state.info.app.name, act));
    void postJson('home', { user: state.me.name });
    void unread.refresh();
    return (await getJson('messages', { user: state.me.name, channel: firstChannel() })).lastEventId;
  }
  const { messages, lastEventId } = await load(channelPane, { channel: place.id });
  void unread.refresh();
  if (stillOpen !== undefined && channelPane.find(stillOpen) !== undefined) {
    await openThread(stillOpen, false);
  } else {
    closeThread();
    const newest = messages.findLast((message) => (message.reply_count ?? 0) > 0);
    if (newest !== undefined && wideEnough.matches) {
      await openThread(newest.ts, false);
    }
  }
  return lastEventId;
}

/** Opens a tab of the app; its conversation comes into being when it is first looked at. */
async function openApp(tab) {
  if (tab === 'home') {
    await go({ kind: 'home' });
    return;
  }
  const { channel } = await postJson('home', { user: state.me.name, tab });
  if (names.channel(channel) === undefined) {
    state.info = await getJson('info');
  }
  await go({ kind: 'channel', id: channel });
}

function firstChannel() {
  return state.info.channels.find((channel) => channel.members.includes(state.me.id))?.id;
}

async function openThread(ts, isWanted) {
  state.threadTs = ts;
  state.opened.add(ts);
  const channel = state.place.id;
  byId('thread').hidden = false;
  byId('app').classList.add('thread-is-open');
  byId('thread-subtitle').textContent = titleOf(state, state.place);
  await load(threadPane, { channel, threadTs: ts });
  if (isWanted) {
    // Where the thread covers the channel, writing is not what comes first, and a phone would bring up its keyboard.
    byId(wideEnough.matches ? 'thread-text' : 'thread-close').focus();
  }
}

function closeThread() {
  const wasInside = byId('thread').contains(document.activeElement);
  state.threadTs = undefined;
  byId('thread').hidden = true;
  byId('app').classList.remove('thread-is-open');
  if (wasInside) {
    byId('composer-text').focus();
  }
}

/** Shows a list that is fetched; what the stream tells meanwhile waits until the list is there. */
async function load(pane, query) {
  waiting ??= [];
  loads += 1;
  try {
    const { messages, lastEventId } = await getJson('messages', { user: state.me.name, ...query });
    await new Promise(whenFree);
    const isStillWanted =
      query.threadTs === undefined ? query.channel === state.place.id : query.threadTs === state.threadTs;
    if (isStillWanted) {
      pane.reset(messages);
    }
    return { messages, lastEventId };
  } finally {
    loads -= 1;
    if (loads === 0) {
      const events = waiting;
      waiting = undefined;
      events.forEach((event) => take(event));
    }
  }
}

/** Handles one event of the stream. */
function take(event) {
  if (waiting !== undefined) {
    waiting.push(event);
    return;
  }
  switch (event.type) {
    case 'message/new':
    case 'message/changed':
    case 'ephemeral/new':
    case 'ephemeral/changed':
      takeMessage(event);
      return;
    case 'message/deleted':
    case 'ephemeral/deleted':
      if (event.channel === state.place.id) {
        channelPane.remove(event.ts);
        threadPane.remove(event.ts);
      }
      return;
    case 'view/opened':
    case 'view/updated':
      modal.show(state.me.name, event.view);
      return;
    case 'view/closed':
      void getJson('views', { user: state.me.name }).then(({ modals }) => modal.show(state.me.name, modals.at(-1)));
      return;
    case 'home/published':
      if (state.place.kind === 'home') {
        drawHome(event.view, state.info.app.name, act);
      }
      return;
    case 'elsewhere':
      unread.refreshSoon();
      return;
    case 'group/changed':
    case 'user/changed':
    case 'channel/changed':
      void getJson('info').then((info) => {
        state.info = info;
        draw();
      });
      return;
    case 'resync':
      void getJson('info').then((info) => {
        state.info = info;
        return become(state.me.name);
      });
  }
}

function takeMessage({ type, channel, message }) {
  if (type.endsWith('/new')) {
    unread.refreshSoon();
  }
  if (channel !== state.place.id) {
    if (names.channel(channel) === undefined) {
      take({ type: 'channel/changed' });
    }
    return;
  }
  const isReply = message.thread_ts !== undefined && message.thread_ts !== message.ts;
  if (!isReply || message.subtype === 'thread_broadcast') {
    channelPane.put(message);
    openNewest(message);
  }
  const isOfThread = message.ts === state.threadTs || message.thread_ts === state.threadTs;
  if (state.threadTs !== undefined && isOfThread) {
    threadPane.put(message);
  }
}

/** The thread of the newest root opens by itself with its first reply, unless someone is writing in another. */
function openNewest(root) {
  const isWriting = byId('thread-text').value !== '';
  const roots = channelPane.values().filter((message) => !message.is_ephemeral);
  const isNewest = roots.findLast((message) => rows.isBot(message.user))?.ts === root.ts;
  if ((root.reply_count ?? 0) > 0 && isNewest && wideEnough.matches && !isWriting && !state.opened.has(root.ts)) {
    void openThread(root.ts, false);
  }
}

/** `#channel=C…&ts=…&thread=…`, as permalinks and channel references have it. */
async function goToHash() {
  const target = new URLSearchParams(location.hash.slice(1));
  const id = target.get('channel');
  if (
    id === null ||
    !state.info.channels.some((channel) => channel.id === id && channel.members.includes(state.me.id))
  ) {
    return;
  }
  await go({ kind: 'channel', id }, target.get('thread') ?? undefined);
  channelPane.reveal(target.get('ts'));
  threadPane.reveal(target.get('ts'));
}

const say = (text, threadTs) => postJson('say', { user: state.me.name, channel: state.place.id, text, threadTs });
setUpComposer({
  formId: 'composer',
  textId: 'composer-text',
  send: (text) => say(text),
  commands: () => [
    ...state.info.app.commands.map((name) => ({ name, text: `${state.info.app.name} takes this line` })),
    { name: '/invite', text: 'Invite someone, for example @dpubot' },
  ],
});
setUpComposer({ formId: 'thread-composer', textId: 'thread-text', send: (text) => say(text, state.threadTs) });
byId('thread-close').addEventListener('click', closeThread);
byId('thread').addEventListener('keydown', (event) => event.key === 'Escape' && closeThread());
setUpMenu();
addEventListener('hashchange', () => void goToHash());
setUpLabPanel(() => state.info);
await become(new URLSearchParams(location.search).get('as') ?? sessionStorage.getItem('person') ?? 'ana');
await goToHash();
