/** A list of messages that keeps its place at the bottom while new ones come in. */
import { dayLabel, h } from './dom.js';
import { fillMessage, renderMessage } from './message.js';

/** Messages of one author within this time are shown without repeating the author. */
const groupSec = 300;

export class Pane {
  #list;
  #scroller;
  #context;
  #messages = new Map();
  /** Only a person who scrolls up leaves the bottom; content that grows, or a pane that narrows, does not. */
  #sticks = true;
  #lastTop = 0;

  constructor(list, scroller, context) {
    this.#list = list;
    this.#scroller = scroller;
    this.#context = context;
    scroller.addEventListener('scroll', () => {
      if (this.#isAtBottom()) {
        this.#sticks = true;
      } else if (scroller.scrollTop < this.#lastTop) {
        this.#sticks = false;
      }
      this.#lastTop = scroller.scrollTop;
    });
    // Pictures arrive later than the message around them.
    new ResizeObserver(() => this.#sticks && this.toBottom()).observe(list);
  }

  get newest() {
    return [...this.#messages.values()].at(-1);
  }

  find(ts) {
    return this.#messages.get(ts);
  }

  values() {
    return [...this.#messages.values()];
  }

  /** Shows other messages altogether. */
  reset(messages) {
    this.#messages = new Map(messages.map((message) => [message.ts, message]));
    this.#scroller.setAttribute('aria-live', 'off');
    this.#list.replaceChildren();
    let previous;
    for (const message of messages) {
      this.#list.append(...this.#rows(message, previous));
      previous = message;
    }
    this.toBottom();
    requestAnimationFrame(() => this.#scroller.setAttribute('aria-live', 'polite'));
  }

  /** Adds a message, or draws a changed one anew. */
  put(message) {
    const row = this.#rowOf(message.ts);
    if (row === undefined) {
      const previous = this.newest;
      this.#messages.set(message.ts, message);
      this.#list.append(...this.#rows(message, previous));
    } else {
      this.#messages.set(message.ts, message);
      const isGrouped = row.classList.contains('grouped');
      // An edit is not read out: a card that changes every few seconds would never let a listener go.
      row.setAttribute('aria-live', 'off');
      fillMessage(row, message, this.#context);
      row.classList.toggle('grouped', isGrouped);
    }
    if (this.#sticks) {
      this.toBottom();
    }
  }

  remove(ts) {
    this.#messages.delete(ts);
    this.#rowOf(ts)?.remove();
  }

  reveal(ts) {
    const row = this.#rowOf(ts);
    row?.scrollIntoView({ block: 'center' });
    row?.classList.add('revealed');
  }

  toBottom() {
    this.#sticks = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #rowOf(ts) {
    return [...this.#list.children].find((row) => row.dataset.ts === ts);
  }

  #rows(message, previous) {
    const row = renderMessage(message, this.#context);
    const day = dayLabel(message.ts);
    if (previous === undefined || dayLabel(previous.ts) !== day) {
      return [h('li', { class: 'day' }, h('span', {}, day)), row];
    }
    const isClose = Number(message.ts) - Number(previous.ts) < groupSec;
    const isPlain = message.subtype === undefined && previous.subtype === undefined;
    const isSameKind = message.is_ephemeral === previous.is_ephemeral && (previous.reply_count ?? 0) === 0;
    row.classList.toggle('grouped', isClose && isPlain && isSameKind && message.user === previous.user);
    return [row];
  }

  #isAtBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 60;
  }
}
