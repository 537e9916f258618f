/** The language of the small `awk`. Source: POSIX.1-2017 XCU awk. */
import { printfText } from '../shell/echo.ts';
import { AwkLexer, Unsupported } from './awk-lexer.ts';
import { compare, number, text, truth } from './awk-values.ts';
import type { Value } from './awk-values.ts';
import { posixRegExp } from './regex.ts';

type Evaluate = (state: State) => Value;
type Action = (state: State) => void;

export interface State {
  fields: string[];
  variables: Record<string, Value>;
  output: string[];
}

export interface Rule {
  when: 'BEGIN' | 'END' | Evaluate | null;
  action: Action;
}

/** `exit` or `next`. */
export class Stop extends Error {}

/** Parses a program into rules that run. */
export class AwkParser {
  readonly #tokens: AwkLexer;
  constructor(source: string) {
    this.#tokens = new AwkLexer(source);
  }

  /** All rules of the program. */
  rules(): Rule[] {
    const rules: Rule[] = [];
    for (;;) {
      while (this.#tokens.take('\n') || this.#tokens.take(';'));
      if (this.#tokens.token === '') return rules;
      const when = this.#tokens.take('BEGIN')
        ? 'BEGIN'
        : this.#tokens.take('END')
          ? 'END'
          : this.#tokens.token === '{'
            ? null
            : this.#expression();
      const action =
        this.#tokens.token === '{'
          ? this.#block()
          : (state: State): void => void state.output.push(`${state.fields[0] ?? ''}\n`);
      rules.push({ when, action });
    }
  }

  #block(): Action {
    this.#tokens.need('{');
    const actions: Action[] = [];
    for (;;) {
      while (this.#tokens.take('\n') || this.#tokens.take(';'));
      if (this.#tokens.take('}')) break;
      actions.push(this.#statement());
    }
    return (state) => actions.forEach((action) => action(state));
  }

  #statement(): Action {
    if (this.#tokens.token === '{') return this.#block();
    if (this.#tokens.take('if')) {
      this.#tokens.need('(');
      const condition = this.#expression();
      this.#tokens.need(')');
      const then = this.#statement();
      while (this.#tokens.take(';'));
      const otherwise = this.#tokens.take('else') ? this.#statement() : null;
      return (state) => (truth(condition(state)) ? then(state) : otherwise?.(state));
    }
    if (this.#tokens.take('exit') || this.#tokens.take('next')) {
      return () => {
        throw new Stop();
      };
    }
    const formatted = this.#tokens.take('printf');
    if (formatted || this.#tokens.take('print')) {
      const values: Evaluate[] = [];
      const wrapped = this.#tokens.take('(');
      while (!['', ';', '\n', '}', ')'].includes(this.#tokens.token)) {
        values.push(this.#expression());
        if (!this.#tokens.take(',')) break;
      }
      if (wrapped) this.#tokens.need(')');
      return (state) => {
        const words = values.map((value) => text(value(state)));
        if (formatted) {
          const made = printfText(words);
          state.output.push('text' in made ? made.text : '');
        } else
          state.output.push(
            (words.length === 0 ? (state.fields[0] ?? '') : words.join(text(state.variables['OFS'] ?? ' '))) +
              text(state.variables['ORS'] ?? '\n'),
          );
      };
    }
    const value = this.#expression();
    return (state) => void value(state);
  }

  #expression(): Evaluate {
    const condition = this.#or();
    if (!this.#tokens.take('?')) return condition;
    const yes = this.#expression();
    this.#tokens.need(':');
    const no = this.#expression();
    return (state) => (truth(condition(state)) ? yes(state) : no(state));
  }

  #or(): Evaluate {
    let left = this.#and();
    while (this.#tokens.take('||')) {
      const [a, b] = [left, this.#and()];
      left = (state) => (truth(a(state)) || truth(b(state)) ? 1 : 0);
    }
    return left;
  }

  #and(): Evaluate {
    let left = this.#match();
    while (this.#tokens.take('&&')) {
      const [a, b] = [left, this.#match()];
      left = (state) => (truth(a(state)) && truth(b(state)) ? 1 : 0);
    }
    return left;
  }

  #match(): Evaluate {
    const left = this.#comparison();
    const negated = this.#tokens.token === '!~';
    if (this.#tokens.token !== '~' && !negated) return left;
    if (this.#tokens.regexFollows()) {
      this.#tokens.next();
      const pattern = this.#tokens.regex();
      return (state) => (pattern.test(text(left(state))) === negated ? 0 : 1);
    }
    this.#tokens.next();
    const right = this.#comparison();
    return (state) => ((posixRegExp(text(right(state)), true)?.test(text(left(state))) ?? false) === negated ? 0 : 1);
  }

  #comparison(): Evaluate {
    const left = this.#concatenation();
    const operator = this.#tokens.token;
    if (!['==', '!=', '<', '>', '<=', '>='].includes(operator)) return left;
    this.#tokens.next();
    const right = this.#concatenation();
    return (state) => compare(left(state), operator, right(state));
  }

  #concatenation(): Evaluate {
    let left = this.#sum();
    while (/^(["$(]|[A-Za-z_\d])/.test(this.#tokens.token) && !['in', 'else'].includes(this.#tokens.token)) {
      const [a, b] = [left, this.#sum()];
      left = (state) => text(a(state)) + text(b(state));
    }
    return left;
  }

  #sum(): Evaluate {
    let left = this.#product();
    while (this.#tokens.token === '+' || this.#tokens.token === '-') {
      const minus = this.#tokens.token === '-';
      this.#tokens.next();
      const [a, b] = [left, this.#product()];
      left = (state) => number(a(state)) + (minus ? -number(b(state)) : number(b(state)));
    }
    return left;
  }

  #product(): Evaluate {
    let left = this.#unary();
    while (this.#tokens.token === '*' || this.#tokens.token === '/' || this.#tokens.token === '%') {
      const operator = this.#tokens.token;
      this.#tokens.next();
      const [a, b] = [left, this.#unary()];
      left = (state) => {
        const [x, y] = [number(a(state)), number(b(state))];
        return operator === '*' ? x * y : operator === '/' ? x / y : x % y;
      };
    }
    return left;
  }

  #unary(): Evaluate {
    if (this.#tokens.take('!')) {
      const value = this.#unary();
      return (state) => (truth(value(state)) ? 0 : 1);
    }
    if (this.#tokens.take('-')) {
      const value = this.#unary();
      return (state) => -number(value(state));
    }
    return this.#primary();
  }

  #primary(): Evaluate {
    const token = this.#tokens.token;
    if (token === '/') {
      const pattern = this.#tokens.regex();
      return (state) => (pattern.test(state.fields[0] ?? '') ? 1 : 0);
    }
    this.#tokens.next();
    if (/^\d/.test(token)) return () => Number(token);
    if (token.startsWith('"')) {
      const value = token
        .slice(1, -1)
        .replaceAll(/\\(.)/g, (_whole, char: string) => ({ n: '\n', t: '\t' })[char] ?? char);
      return () => value;
    }
    if (token === '(') {
      const value = this.#expression();
      this.#tokens.need(')');
      return value;
    }
    if (token === '$') {
      const index = this.#unary();
      return (state) => state.fields[number(index(state))] ?? '';
    }
    if (!/^[A-Za-z_]/.test(token)) throw new Unsupported(`syntax error near ${token}`);
    if (this.#tokens.token === '(') return this.#call(token);
    return this.#variable(token);
  }

  #variable(name: string): Evaluate {
    const operator = this.#tokens.token;
    if (operator === '++' || operator === '--') {
      this.#tokens.next();
      return (state) => {
        const before = number(state.variables[name] ?? 0);
        state.variables[name] = before + (operator === '++' ? 1 : -1);
        return before;
      };
    }
    if (operator !== '=' && operator !== '+=' && operator !== '-=')
      return (state) => (name === 'NF' ? state.fields.length - 1 : (state.variables[name] ?? ''));
    this.#tokens.next();
    const value = this.#expression();
    return (state) => {
      const now = value(state);
      const before = number(state.variables[name] ?? 0);
      return (state.variables[name] =
        operator === '=' ? now : before + (operator === '+=' ? number(now) : -number(now)));
    };
  }

  #call(name: string): Evaluate {
    this.#tokens.need('(');
    const args: Evaluate[] = [];
    while (this.#tokens.token !== ')') {
      args.push(this.#expression());
      if (!this.#tokens.take(',')) break;
    }
    this.#tokens.need(')');
    const arg = (state: State, index: number): Value => args[index]?.(state) ?? '';
    switch (name) {
      case 'length':
        return (state) => text(args.length === 0 ? (state.fields[0] ?? '') : arg(state, 0)).length;
      case 'int':
        return (state) => Math.trunc(number(arg(state, 0)));
      case 'tolower':
        return (state) => text(arg(state, 0)).toLowerCase();
      case 'toupper':
        return (state) => text(arg(state, 0)).toUpperCase();
      case 'index':
        return (state) => text(arg(state, 0)).indexOf(text(arg(state, 1))) + 1;
      case 'substr':
        return (state) => {
          const from = number(arg(state, 1)) - 1;
          return text(arg(state, 0)).slice(
            Math.max(0, from),
            args.length > 2 ? from + number(arg(state, 2)) : undefined,
          );
        };
      default:
        throw new Unsupported(`function ${name} not defined`);
    }
  }
}
