/** What has not been read yet, by everybody. */
import { getJson, postJson } from './api.js';

const gapMs = 250;

/**
 * @param {{me: object, place: object, unread: object}} state
 * @param {() => void} draw
 * @returns {{refresh: () => Promise<void>, refreshSoon: () => void}}
 */
export function followUnread(state, draw) {
  let timer;
  /** Notes that what is on show has been read, and asks what is new elsewhere and for others. */
  const refresh = async () => {
    const { me, place } = state;
    if (place.kind === 'channel' && place.id !== undefined && !document.hidden) {
      await postJson('read', { user: me.name, channel: place.id });
    }
    state.unread = await getJson('unread');
    if (state.me === me) {
      draw();
    }
  };
  document.addEventListener('visibilitychange', () => void refresh());
  return {
    refresh,
    refreshSoon: () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void refresh();
      }, gapMs);
    },
  };
}
