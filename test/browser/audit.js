/**
 * Runs inside the page: texts whose contrast with what lies behind them is below `minimum` (WCAG 2.2, relative
 * luminance). Text that cannot be seen does not count.
 */
export function lowContrastIn(minimum) {
  const parse = (colour) => {
    const numbers = (/rgba?\(([^)]*)\)/.exec(colour)?.[1] ?? '').split(/[\s,/]+/).map(Number);
    const [r = 0, g = 0, b = 0, a = 1] = numbers;
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const luminance = ({ r, g, b }) => {
    const [lr, lg, lb] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let one = element; one !== null; one = one.parentElement)
      layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reduceRight((below, layer) => over(layer, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const isSeen = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || !element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }))
      return false;
    return element.closest('[hidden], .visually-hidden, .skip-link:not(:focus)') === null;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let looked = 0;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.data.trim();
    if (text === '' || element === null || !isSeen(element)) continue;
    looked += 1;
    const ground = groundOf(element);
    const ink = over(parse(getComputedStyle(element).color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < minimum) found.push(`${ratio.toFixed(2)} "${text.slice(0, 40)}"`);
  }
  return { looked, found };
}

/**
 * How wide the picture itself is, in pixels; 0 until it is loaded, and when it is no picture.
 *
 * @param {Element} image
 * @returns {number}
 */
export function pictureWidth(image) {
  return image instanceof HTMLImageElement ? image.naturalWidth : 0;
}
