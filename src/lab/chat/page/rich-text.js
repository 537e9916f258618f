/** rich_text blocks as DOM (docs.slack.dev/reference/block-kit/blocks/rich-text-block). */
import { h } from './dom.js';
import { mention, names, renderDate, renderEmoji, renderLink, renderPre } from './render-text.js';

export function renderRichText(block) {
  return h('div', { class: 'rich-text' }, renderParts(block.elements));
}

/** Lists arrive as neighbours with an indent; each becomes a list of its own with a margin. */
function renderParts(parts) {
  return parts.map((part) => {
    switch (part.type) {
      case 'rich_text_section':
        return h('div', { class: 'rich-section' }, renderLeaves(part.elements));
      case 'rich_text_quote':
        return h('blockquote', {}, renderLeaves(part.elements));
      case 'rich_text_preformatted':
        return renderPre(part.elements.map((leaf) => leaf.text ?? leaf.url ?? '').join(''));
      case 'rich_text_list':
        return h(
          part.style === 'ordered' ? 'ol' : 'ul',
          { class: `indent-${Math.min(part.indent ?? 0, 4)}` },
          part.elements.map((item) => h('li', {}, renderLeaves(item.elements))),
        );
      default:
        return undefined;
    }
  });
}

function renderLeaves(leaves) {
  return leaves.map((leaf) => styled(renderLeaf(leaf), leaf.style));
}

function renderLeaf(leaf) {
  switch (leaf.type) {
    case 'link':
      return renderLink(leaf.url, [leaf.text ?? leaf.url]);
    case 'emoji':
      return renderEmoji(leaf.name);
    case 'user':
      return mention(`@${names.user(leaf.user_id) ?? leaf.user_id}`, names.isMe(leaf.user_id));
    case 'usergroup':
      return mention(`@${names.group(leaf.usergroup_id) ?? leaf.usergroup_id}`, false);
    case 'channel':
      return renderLink(`#channel=${leaf.channel_id}`, [`#${names.channel(leaf.channel_id) ?? leaf.channel_id}`]);
    case 'broadcast':
      return mention(`@${leaf.range}`, true);
    case 'date':
      return renderDate({ seconds: leaf.timestamp, format: leaf.format, url: leaf.url, text: leaf.fallback });
    case 'color':
      return leaf.value;
    default:
      return lines(leaf.text ?? '');
  }
}

function lines(text) {
  const parts = text.split('\n');
  return parts.length === 1
    ? text
    : h(
        'span',
        {},
        parts.flatMap((part, index) => (index > 0 ? [h('br'), part] : [part])),
      );
}

function styled(node, style) {
  let result = node;
  if (style?.code) result = h('code', {}, result);
  if (style?.bold) result = h('strong', {}, result);
  if (style?.italic) result = h('em', {}, result);
  if (style?.strike) result = h('s', {}, result);
  return result;
}
