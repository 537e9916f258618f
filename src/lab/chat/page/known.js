/** Tells the parts of the page that name people, channels and groups who and what there is. */
import { choosable } from './elements.js';
import { names } from './render-text.js';

/** @param {{info: object, me: object}} state Read at each use, so that later answers of `GET info` count. */
export function fillNames(state) {
  names.user = (id) => state.info.users.find((user) => user.id === id)?.realName;
  names.channel = (id) => state.info.channels.find((channel) => channel.id === id)?.name;
  names.group = (id) => state.info.groups.find((group) => group.id === id)?.handle;
  names.isMe = (id) => id === state.me?.id;
  names.me = () => state.me?.name ?? '';
  choosable.users = () =>
    state.info.users.filter((user) => !user.deleted).map((user) => ({ value: user.id, text: user.realName }));
  choosable.conversations = () =>
    state.info.channels
      .filter((channel) => !channel.isIm && channel.members.includes(state.me.id))
      .map((channel) => ({ value: channel.id, text: `# ${channel.name}` }));
}
