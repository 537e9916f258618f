/** How Open vSwitch writes values. Source: ovsdb-types(7), ovs-vsctl's output. */

/** A string: bare when it looks like a word, quoted otherwise. */
export function stringText(value: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(value) && !['true', 'false'].includes(value) ? value : JSON.stringify(value);
}

/** A map: keys in order, values as strings. */
export function mapText(map: Record<string, string>): string {
  const pairs = Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${pairs.map(([key, value]) => `${key}=${stringText(value)}`).join(', ')}}`;
}

/** A value without its quotes. */
export function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/s, '$1');
}

/** `key=value, key=value`, with or without braces. */
export function mapOf(text: string): Record<string, string> {
  const inner = text.replace(/^\{(.*)\}$/s, '$1');
  return Object.fromEntries(
    inner
      .split(',')
      .map((pair) => pair.trim())
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [key = '', ...value] = pair.split('=');
        return [unquoted(key), unquoted(value.join('='))];
      }),
  );
}
