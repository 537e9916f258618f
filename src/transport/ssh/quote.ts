const plainWord = /^[A-Za-z0-9_@%+:,./-]+$/;
/** Words that a POSIX shell reads as syntax when they stand first. */
const reserved: ReadonlySet<string> = new Set(
  'if then else elif fi do done case esac while until for in function select time coproc'.split(' '),
);

/** One word for a POSIX shell. Throws RangeError for a NUL byte, which no argument can hold. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument holds a NUL byte');
  return plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * One command line for the POSIX shell of the remote user: after the shell has read it, the program gets exactly `argv`.
 * The only place where shell text is made. Throws RangeError for an empty argv or a NUL byte.
 */
export function quoteArgv(argv: readonly string[]): string {
  const [program, ...rest] = argv;
  if (program === undefined || program === '') throw new RangeError('a command needs a program');
  const first = reserved.has(program) ? `'${program}'` : quoteWord(program);
  return [first, ...rest.map(quoteWord)].join(' ');
}
