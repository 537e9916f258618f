/** One line of `doctor`. `next` says what to do about it; absent when it is fine. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'FAIL';
  readonly topic: string;
  readonly text: string;
  readonly next?: string;
}

export function ok(topic: string, text: string): Finding {
  return { level: 'ok', topic, text };
}

export function warn(topic: string, text: string, next: string): Finding {
  return { level: 'warn', topic, text, next };
}

export function fail(topic: string, text: string, next: string): Finding {
  return { level: 'FAIL', topic, text, next };
}

/** The lines a finding is shown as. */
export function findingLines(finding: Finding): string[] {
  const line = `${finding.level.padEnd(4)}  ${finding.topic}: ${finding.text}`;
  return finding.next === undefined ? [line] : [line, `      -> ${finding.next}`];
}
