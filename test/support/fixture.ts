import { readFileSync } from 'node:fs';

/** Text of a fixture without its first line, which says where it comes from (`# captured: ...` or `# synthetic: ...`). */
export function fixture(name: string): string {
  const text = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
  const end = text.indexOf('\n') + 1;
  if (!/^# (captured|synthetic): \S/.test(text)) throw new Error(`fixture ${name} does not say where it comes from`);
  return text.slice(end);
}

/** A fixture that holds JSON. */
export function jsonFixture(name: string): unknown {
  return JSON.parse(fixture(name));
}
