/** A message box: Enter sends, Shift+Enter breaks the line, arrow up brings back what was sent. */
import { byId, h } from './dom.js';

export function setUpComposer({ formId, textId, send, commands }) {
  const form = byId(formId);
  const box = byId(textId);
  const sent = [];
  let place = 0;
  const resize = () => {
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
  };
  const recall = (step) => {
    place = Math.max(0, Math.min(sent.length, place + step));
    box.value = sent[place] ?? '';
    resize();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (text === '') {
      return;
    }
    sent.push(text);
    place = sent.length;
    box.value = '';
    resize();
    suggest(commands?.() ?? [], '', box);
    void send(text);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === 'ArrowUp' && (box.value === '' || place < sent.length)) {
      event.preventDefault();
      recall(-1);
    } else if (event.key === 'ArrowDown' && place < sent.length) {
      event.preventDefault();
      recall(1);
    } else if (event.key === 'Tab' && !event.shiftKey && commands !== undefined) {
      completeCommand(event, commands(), box);
    }
  });
  box.addEventListener('input', () => {
    place = sent.length;
    resize();
    if (commands !== undefined) {
      suggest(commands(), box.value, box);
    }
  });
  return box;
}

function fitting(commands, typed) {
  return /^\/\S*$/.test(typed) ? commands.filter((one) => one.name.startsWith(typed)) : [];
}

function completeCommand(event, commands, box) {
  const [first] = fitting(commands, box.value);
  if (first !== undefined) {
    event.preventDefault();
    take(first, commands, box);
  }
}

function take(command, commands, box) {
  box.value = `${command.name} `;
  suggest(commands, box.value, box);
  box.focus();
}

function suggest(commands, typed, box) {
  const list = byId('suggestions');
  const found = fitting(commands, typed);
  list.hidden = found.length === 0;
  list.replaceChildren(
    ...found.map((one) =>
      h(
        'li',
        {
          role: 'option',
          'aria-selected': 'false',
          onmousedown: (event) => event.preventDefault(),
          onclick: () => take(one, commands, box),
        },
        h('strong', {}, one.name),
        h('span', {}, one.text),
      ),
    ),
  );
}
