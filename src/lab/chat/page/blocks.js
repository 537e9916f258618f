/** Block Kit as DOM. `act(element, blockId, choice, origin)` is called when a person uses an interactive element. */
import { h } from './dom.js';
import { renderElement, renderInput } from './elements.js';
import { showPicture } from './picture.js';
import { renderRichText } from './rich-text.js';
import { fileAddress, renderLink, renderMarkdown, renderText } from './render-text.js';

/** @param {{act: Function, headingLevel?: number, errors?: Record<string, string>, values?: object}} context */
export function renderBlocks(blocks, context) {
  return h(
    'div',
    { class: 'blocks' },
    blocks.map((block) => renderBlock(block, context)),
  );
}

const renderers = {
  actions: (block, context) =>
    h(
      'div',
      { class: 'block-actions' },
      block.elements.map((one) => renderElement(one, block.block_id, context)),
    ),
  alert: (block) =>
    h(
      'div',
      { class: `block-alert alert-${block.level ?? 'default'}`, role: 'note' },
      h('strong', {}, alertWord(block.level)),
      ' ',
      renderText(block.text),
    ),
  card: renderCard,
  carousel: (block, context) =>
    h(
      'div',
      { class: 'block-carousel' },
      block.elements.map((card) => renderCard(card, context)),
    ),
  container: renderContainer,
  context: (block) =>
    h(
      'div',
      { class: 'block-context' },
      block.elements.map((one) =>
        one.type === 'image' ? renderImage(one, 'context-image') : h('span', {}, renderText(one)),
      ),
    ),
  context_actions: (block, context) =>
    h(
      'div',
      { class: 'block-actions' },
      block.elements.map((one) => renderElement(one, block.block_id, context)),
    ),
  data_table: renderTable,
  divider: () => h('hr'),
  header: (block, context) => h(`h${context.headingLevel ?? 3}`, { class: 'block-header' }, renderText(block.text)),
  image: (block) =>
    h(
      'figure',
      { class: 'block-image' },
      block.title && h('figcaption', {}, renderText(block.title)),
      renderImage(block),
    ),
  input: renderInput,
  markdown: (block) => h('div', { class: 'block-markdown' }, renderMarkdown(block.text)),
  plan: (block) =>
    h(
      'section',
      { class: 'block-plan', 'aria-label': block.title },
      h('p', { class: 'plan-title' }, block.title),
      h(
        'ol',
        { class: 'plan-tasks' },
        (block.tasks ?? []).map((task) => h('li', {}, renderTask(task))),
      ),
    ),
  rich_text: renderRichText,
  section: renderSection,
  table: renderTable,
  task_card: (block) => h('div', { class: 'block-plan' }, renderTask(block)),
  video: (block) => h('p', {}, renderLink(block.title_url ?? block.video_url, [block.title?.text ?? block.alt_text])),
};

function renderBlock(block, context) {
  const render = renderers[block.type];
  return render === undefined ? h('p', { class: 'unknown-block' }, `[${block.type}]`) : render(block, context);
}

function renderSection(block, context) {
  return h(
    'div',
    { class: block.accessory === undefined ? 'block-section' : 'block-section with-accessory' },
    h(
      'div',
      { class: 'section-body' },
      block.text && h('div', { class: 'section-text' }, renderText(block.text)),
      block.fields &&
        h(
          'div',
          { class: 'section-fields' },
          block.fields.map((field) => h('div', {}, renderText(field))),
        ),
    ),
    block.accessory &&
      (block.accessory.type === 'image'
        ? renderImage(block.accessory, 'accessory-image')
        : renderElement(block.accessory, block.block_id, context)),
  );
}

/** A picture of the lab's own files; pictures from elsewhere are not fetched, their alt text and address are shown. */
export function renderImage(image, className) {
  const file = image.slack_file;
  const id = file?.id ?? /\/files-pri\/[^/]*-(F[^/]+)\//.exec(file?.url ?? '')?.[1];
  if (id === undefined) {
    return h(
      'p',
      { class: 'external-image' },
      `${image.alt_text} `,
      renderLink(image.image_url ?? '', ['(picture elsewhere)']),
    );
  }
  const picture = h('img', {
    src: fileAddress(id),
    alt: image.alt_text,
    class: className,
    loading: 'lazy',
  });
  return className === undefined
    ? h('a', { class: 'picture', href: fileAddress(id), 'aria-haspopup': 'dialog', onclick: enlarge }, picture)
    : picture;
}

function enlarge(event) {
  if (event.ctrlKey || event.metaKey) {
    return;
  }
  event.preventDefault();
  const picture = event.currentTarget.querySelector('img');
  showPicture(picture.getAttribute('src'), picture.alt);
}

function renderTable(block) {
  const [head = [], ...rows] = block.rows;
  const settings = block.column_settings ?? [];
  const cellProps = (index) => {
    const { align, is_wrapped: isWrapped } = settings[index] ?? {};
    return { class: [align && `align-${align}`, isWrapped && 'wrapped'].filter(Boolean).join(' ') || undefined };
  };
  const headerColumn = block.type === 'data_table' ? (block.row_header_column_index ?? 0) : -1;
  const cell = (content, index) =>
    index === headerColumn
      ? h('th', { scope: 'row', ...cellProps(index) }, renderCell(content))
      : h('td', cellProps(index), renderCell(content));
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': block.caption ?? 'Table' },
    h(
      'table',
      {},
      block.caption && h('caption', {}, block.caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((content, index) => h('th', { scope: 'col', ...cellProps(index) }, renderCell(content))),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            row.map((content, index) => cell(content, index)),
          ),
        ),
      ),
    ),
  );
}

function renderCell(cell) {
  return cell.type === 'rich_text' ? renderRichText(cell) : cell.text;
}

function renderCard(block, context) {
  return h(
    'article',
    { class: 'block-card' },
    block.hero_image && renderImage(block.hero_image),
    block.title && h('p', { class: 'card-title' }, renderText(block.title)),
    block.subtitle && h('p', { class: 'card-subtitle' }, renderText(block.subtitle)),
    block.body && h('p', {}, renderText(block.body)),
    block.actions &&
      h(
        'div',
        { class: 'block-actions' },
        block.actions.map((one) => renderElement(one, block.block_id, context)),
      ),
  );
}

function renderContainer(block, context) {
  const title = block.rich_text_title === undefined ? renderText(block.title) : renderRichText(block.rich_text_title);
  const subtitle = block.subtitle && h('span', { class: 'card-subtitle' }, renderText(block.subtitle));
  const children = block.child_blocks.map((child) => renderBlock(child, context));
  if (block.is_collapsible !== true) {
    return h('section', { class: 'block-container' }, h('p', { class: 'card-title' }, title), subtitle, children);
  }
  const summary = h('summary', {}, h('span', { class: 'card-title' }, title), ' ', subtitle);
  return h('details', { class: 'block-container', open: block.default_collapsed !== true }, summary, children);
}

const taskStates = {
  pending: { mark: '○', word: 'pending' },
  in_progress: { mark: '◐', word: 'in progress' },
  complete: { mark: '✓', word: 'complete' },
  error: { mark: '✕', word: 'error' },
};

function renderTask(task) {
  const state = taskStates[task.status] ?? taskStates.pending;
  const more = [task.details, task.output].filter(Boolean).map((one) => renderRichText(one));
  return h(
    'div',
    { class: `task task-${task.status}` },
    h('span', { class: 'task-mark', 'aria-hidden': 'true' }, state.mark),
    h(
      'div',
      { class: 'task-body' },
      h('span', { class: 'task-title' }, task.title),
      ' ',
      h('span', { class: 'task-word' }, state.word),
      more,
    ),
  );
}

function alertWord(level) {
  return { info: 'Info.', warning: 'Warning.', error: 'Error.', success: 'Done.' }[level] ?? 'Note.';
}
