/** What testpmd says when it cannot do its work, and what that means. The first that is found is told. */
const causes: readonly { readonly pattern: RegExp; readonly text: string; readonly isExplained?: true }[] = [
  { pattern: /failed to run command .*testpmd.*|testpmd: (?:command )?not found.*/, text: 'it is not installed' },
  { pattern: /unrecognized option .*|Unknown option.*/i, text: 'this testpmd does not know an option' },
  { pattern: /Cannot get hugepage information.*|No free \d+ kB hugepages.*/, text: 'there are no hugepages' },
  { pattern: /Creation of mbuf pool .*/, text: 'there is not enough memory for its packet buffers' },
  { pattern: /Not enough memory available.*|Cannot allocate memory.*/, text: 'there is not enough memory' },
  {
    pattern: /length\[\d+\]=\d+ > mbuf_data_size=\d+ - give up/,
    text: 'the frames do not fit into its packet buffers',
  },
  { pattern: /No probed ethernet devices/, text: 'it found no device', isExplained: true },
  {
    pattern: /Fail to configure port .*|Start ports failed/,
    text: 'the device refuses the settings',
    isExplained: true,
  },
  { pattern: /^Port \d+ Link down.*/m, text: 'the link is down' },
  { pattern: /^PANIC in .*/m, text: 'it crashed' },
];

/** Lines in which drivers and the EAL say why: only where the cause itself does not. */
const reason = /^.*(?:failed|cannot|could not|no such|not found|unable|denied|unsupported|requested).*$/gim;
/** They stand in each log, or only repeat that something failed. */
const noise = /Multi-process socket|Physical addresses are unavailable|Bus \(\w+\) probe failed|mempool ops/;

/** Why a testpmd could not work, from its complete log, as a sentence; undefined where it says nothing of the kind. */
export function testpmdProblem(lines: readonly string[]): string | undefined {
  const text = lines.join('\n');
  for (const { pattern, text: meaning, isExplained } of causes) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return sentence(meaning, found, isExplained ? text : '');
  }
  const exit = /EAL: Error - exiting with code: \d+\n +Cause: (.*)/.exec(text)?.[1];
  return exit === undefined ? undefined : sentence('it did not start', exit, text);
}

function sentence(meaning: string, found: string, text: string): string {
  const said = [...text.matchAll(reason)].map(([line]) => line.trim());
  const more = said.filter((line) => !noise.test(line) && !line.includes(found.trim()));
  return `testpmd cannot measure, ${meaning}: ${[found.trim(), ...new Set(more)].slice(0, 3).join('; ')}`;
}
