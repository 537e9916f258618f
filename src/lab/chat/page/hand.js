/**
 * What is drawn anew must wait while a control is pressed: a browser sends no click when the element that was pressed has
 * gone before the hand is lifted, and an Approve that nobody received is the worst thing to lose.
 */

/** Controls whose press ends with the hand lifted; a list of choices stays open long after that. */
const pressable = 'button, a, label, summary, input';
/** What the space bar presses, again when it is let go. */
const pressedBySpace = 'button, summary, [type=checkbox], [type=radio]';
/** A tap's click may come a little after its `pointerup`. */
const lingerMs = 50;

let isPressed = false;
let timer;
const later = [];

/** Runs `draw` now, or after the press under way and its click; several of them in their order. */
export function whenFree(draw) {
  if (isPressed) {
    later.push(draw);
  } else {
    draw();
  }
}

function press() {
  clearTimeout(timer);
  isPressed = true;
}

function liftIn(ms) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    isPressed = false;
    later.splice(0).forEach((draw) => draw());
  }, ms);
}

addEventListener('pointerdown', ({ button, target }) => button === 0 && target.closest(pressable) && press(), true);
addEventListener('keydown', ({ key, target }) => key === ' ' && target.matches(pressedBySpace) && press(), true);
// After the handlers of the click, which look at what is around their control.
addEventListener('click', () => liftIn(0), true);
addEventListener('pointerup', () => liftIn(lingerMs), true);
addEventListener('keyup', () => liftIn(lingerMs), true);
addEventListener('pointercancel', () => liftIn(0), true);
addEventListener('blur', () => liftIn(0));
// A hand that was lifted outside the window, and comes back.
addEventListener('pointermove', (event) => isPressed && event.buttons === 0 && liftIn(0), true);
