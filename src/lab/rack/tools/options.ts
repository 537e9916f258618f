/** Command line options as getopt_long takes them. */
import { complain } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';

export interface Options {
  flags: Set<string>;
  values: Record<string, string>;
  rest: string[];
}

export interface OptionSpec {
  /** Letters and long names without a value, separated by blanks: `r f recursive=r`. An alias follows `=`. */
  flags?: string;
  /** The same for options with a value. */
  values?: string;
  /** Options end at the first operand. */
  stopsAtOperand?: boolean;
}

function table(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(' ')
      .filter((each) => each !== '')
      .map((each) => {
        const [name = '', alias = name] = each.split('=');
        return [name, alias];
      }),
  );
}

class Parser {
  readonly result: Options = { flags: new Set(), values: {}, rest: [] };
  readonly #flags: Record<string, string>;
  readonly #values: Record<string, string>;
  readonly #args: string[];
  #at = 0;

  constructor(args: string[], spec: OptionSpec) {
    this.#args = args;
    this.#flags = table(spec.flags ?? '');
    this.#values = table(spec.values ?? '');
  }

  #long(word: string): string | null {
    const [name = '', ...value] = word.slice(2).split('=');
    const flag = this.#flags[name];
    if (flag !== undefined) {
      this.result.flags.add(flag);
      return null;
    }
    const key = this.#values[name];
    if (key === undefined) return `unrecognized option '${word}'`;
    if (value.length === 0) this.#at += 1;
    this.result.values[key] = value.length > 0 ? value.join('=') : (this.#args[this.#at] ?? '');
    return null;
  }

  #short(word: string): string | null {
    for (let index = 1; index < word.length; index += 1) {
      const letter = word[index] ?? '';
      const flag = this.#flags[letter];
      if (flag !== undefined) {
        this.result.flags.add(flag);
        continue;
      }
      const key = this.#values[letter];
      if (key === undefined) return `invalid option -- '${letter}'`;
      const attached = word.slice(index + 1);
      if (attached === '') this.#at += 1;
      const value = attached === '' ? this.#args[this.#at] : attached;
      if (value === undefined) return `option requires an argument -- '${letter}'`;
      this.result.values[key] = value;
      break;
    }
    return null;
  }

  parse(stopsAtOperand: boolean): string | null {
    for (; this.#at < this.#args.length; this.#at += 1) {
      const word = this.#args[this.#at] ?? '';
      if (word === '--') {
        this.result.rest.push(...this.#args.slice(this.#at + 1));
        return null;
      }
      if (!word.startsWith('-') || word === '-') {
        if (stopsAtOperand) {
          this.result.rest.push(...this.#args.slice(this.#at));
          return null;
        }
        this.result.rest.push(word);
        continue;
      }
      const problem = word.startsWith('--') ? this.#long(word) : this.#short(word);
      if (problem !== null) return problem;
    }
    return null;
  }
}

/** Options, or null after the usual complaint. */
export function parseOptions(frame: Frame, tool: string, args: string[], spec: OptionSpec): Options | null {
  const parser = new Parser(args, spec);
  const problem = parser.parse(spec.stopsAtOperand === true);
  if (problem === null) return parser.result;
  complain(frame, `${tool}: ${problem}\nTry '${tool} --help' for more information.\n`);
  return null;
}
