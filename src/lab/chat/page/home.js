/** The Home tab of the app. */
import { renderBlocks } from './blocks.js';
import { byId, h } from './dom.js';

/** @param {object | undefined} view What the app has published; nothing yet is said as such. */
export function drawHome(view, appName, act) {
  const actions = {
    act: (element, blockId, choice, control) => act({ viewId: view.id }, element, blockId, choice, control),
    headingLevel: 2,
  };
  byId('home').replaceChildren(
    view === undefined
      ? h('p', { class: 'empty' }, `${appName} has not published a Home view yet.`)
      : renderBlocks(view.blocks, actions),
  );
}
