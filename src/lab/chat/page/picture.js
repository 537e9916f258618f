/** A picture in full size, over the page. */
import { byId, h } from './dom.js';

/** Shows a picture with what it says below; Escape, the button, or a click beside it closes it. */
export function showPicture(address, altText) {
  const dialog = byId('picture');
  dialog.setAttribute('aria-label', altText === '' ? 'Picture' : altText);
  dialog.replaceChildren(
    h(
      'header',
      { class: 'picture-bar' },
      h('p', { class: 'picture-text' }, altText),
      h('a', { href: address, target: '_blank', rel: 'noopener' }, 'Open in a new window'),
      h('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕'),
    ),
    h('img', { src: address, alt: altText }),
  );
  dialog.addEventListener('click', closeBeside);
  dialog.showModal();
}

function closeBeside(event) {
  if (event.target === event.currentTarget) {
    event.currentTarget.close();
  }
}
