/** Modals of the app, and confirmation dialogs. */
import { postJson } from './api.js';
import { renderBlocks } from './blocks.js';
import { byId, h } from './dom.js';
import { readValues } from './elements.js';
import { renderText } from './render-text.js';

/** Asks before an action that wants to be confirmed; resolves with the answer. */
export function confirm(question) {
  const dialog = byId('confirm');
  const style = question.style === 'danger' ? 'button button-danger' : 'button button-primary';
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog' },
      h('header', { class: 'modal-header' }, h('h2', { id: 'confirm-title' }, renderText(question.title))),
      h('div', { class: 'modal-body' }, h('div', { class: 'section-text' }, renderText(question.text))),
      h(
        'footer',
        { class: 'modal-footer' },
        h('button', { class: 'button', value: 'no' }, renderText(question.deny)),
        h('button', { class: style, value: 'yes' }, renderText(question.confirm)),
      ),
    ),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** The modal dialog: shows the visible view of a person's stack. */
export class Modal {
  #dialog = byId('modal');
  #user = '';
  #view;
  #act;

  constructor(act) {
    this.#act = act;
    this.#dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      void this.#close();
    });
  }

  /** Shows a view, or hides the dialog when there is none. */
  show(user, view) {
    const isSame = this.#view?.id === view?.id;
    const values = isSame && view !== undefined ? readValues(this.#dialog) : undefined;
    this.#user = user;
    this.#view = view;
    if (view === undefined) {
      this.#dialog.close();
      return;
    }
    const focused = this.#dialog.contains(document.activeElement) ? document.activeElement.dataset : {};
    this.#draw(values, undefined);
    if (!this.#dialog.open) {
      this.#dialog.showModal();
    }
    this.#focus(isSame ? focused : {});
  }

  get viewId() {
    return this.#view?.id;
  }

  /** The control that had the focus, else the one that the app wants it on, else the first that can be filled in. */
  #focus({ actionId, blockId }) {
    const controls = [...this.#dialog.querySelectorAll('.modal-body [data-action-id]')];
    const wanted = this.#view.blocks.find((block) => block.element?.focus_on_load === true)?.block_id;
    const control =
      controls.find(
        (one) => actionId !== undefined && one.dataset.actionId === actionId && one.dataset.blockId === blockId,
      ) ??
      controls.find((one) => one.dataset.blockId === wanted) ??
      controls.find((one) => one.matches('input, select, textarea, .choices'));
    const target = control?.matches('.choices') ? control.querySelector('input') : control;
    (target ?? this.#dialog.querySelector('.modal-footer button:last-child'))?.focus();
  }

  #draw(values, problem) {
    const view = this.#view;
    const act = (element, blockId, choice, control) =>
      this.#act({ viewId: view.id }, element, blockId, choice, control);
    const form = h(
      'form',
      { onsubmit: (event) => this.#submit(event), novalidate: true },
      h(
        'header',
        { class: 'modal-header' },
        h('h2', { id: 'modal-title' }, renderText(view.title)),
        h('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close', onclick: () => this.#close() }, '✕'),
      ),
      h(
        'div',
        { class: 'modal-body' },
        problem?.text && h('p', { class: 'field-error', role: 'alert' }, problem.text),
        renderBlocks(view.blocks, { act, values, errors: problem?.errors }),
      ),
      h(
        'footer',
        { class: 'modal-footer' },
        h('button', { class: 'button', type: 'button', onclick: () => this.#close() }, view.close?.text ?? 'Cancel'),
        view.submit && h('button', { class: 'button button-primary', type: 'submit' }, renderText(view.submit)),
      ),
    );
    this.#dialog.replaceChildren(form);
  }

  async #submit(event) {
    event.preventDefault();
    const values = readValues(this.#dialog);
    const submit = this.#dialog.querySelector('[type=submit]');
    submit.disabled = true;
    const result = await postJson('views/submit', { user: this.#user, viewId: this.#view.id, values }).catch(
      (error) => ({
        status: 'failed',
        text: error.message,
      }),
    );
    submit.disabled = false;
    if (result.status === 'errors') {
      this.#draw(values, { errors: result.errors });
      this.#dialog.querySelector('[aria-invalid=true], .field:has(.field-error) input')?.focus();
    } else if (result.status === 'failed') {
      this.#draw(values, { text: result.text });
    }
  }

  async #close() {
    await postJson('views/close', { user: this.#user, viewId: this.#view.id });
  }
}
