/**
 * Shell arithmetic: `$(( ))`.
 *
 * Source: POSIX.1-2017 XCU 2.6.4; operators and precedence of C.
 */

const levels: string[][] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

class DivisionByZero extends Error {}

function apply(operator: string, left: number, right: number): number {
  switch (operator) {
    case '||':
      return left !== 0 || right !== 0 ? 1 : 0;
    case '&&':
      return left !== 0 && right !== 0 ? 1 : 0;
    case '|':
      return Number(BigInt(left) | BigInt(right));
    case '^':
      return Number(BigInt(left) ^ BigInt(right));
    case '&':
      return Number(BigInt(left) & BigInt(right));
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left === right ? 0 : 1;
    case '<=':
      return left <= right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '<<':
      return left * 2 ** right;
    case '>>':
      return Math.floor(left / 2 ** right);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      if (right === 0) throw new DivisionByZero();
      return operator === '/' ? Math.trunc(left / right) : left % right;
  }
}

const tokenPattern = /\s*(\d+|0x[0-9a-f]+|[A-Za-z_]\w*|\|\||&&|[=!<>]=|<<|>>|[-+*/%]=|[-+*/%<>()?:=!~|^&])/iy;

function tokenize(text: string): string[] | null {
  const tokens: string[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) return null;
    tokens.push(match[1] ?? '');
    at = tokenPattern.lastIndex;
  }
  return tokens;
}

/** One expression that is being worked out. */
class Calculation {
  readonly #tokens: string[];
  readonly #get: (name: string) => string;
  readonly #set: (name: string, value: string) => void;
  #at = 0;
  #problem: string | null = null;
  constructor(tokens: string[], get: (name: string) => string, set: (name: string, value: string) => void) {
    this.#tokens = tokens;
    this.#get = get;
    this.#set = set;
  }

  /** The value of all tokens, or what is wrong with them. */
  result(): number | string {
    const result = this.#ternary();
    if (this.#at < this.#tokens.length) this.#problem ??= 'expecting EOF';
    return this.#problem ?? result;
  }

  #value(name: string): number {
    const number = Number(this.#get(name) || '0');
    if (!Number.isInteger(number)) this.#problem ??= 'Illegal number';
    return Number.isInteger(number) ? number : 0;
  }

  #primary(): number {
    const token = this.#tokens[this.#at] ?? '';
    this.#at += 1;
    if (/^\d/.test(token)) return Number(token.replace(/^0(?=\d)/, '0o'));
    if (/^[A-Za-z_]/.test(token)) return this.#assignment(token);
    if (token === '(') {
      const inner = this.#ternary();
      if (this.#tokens[this.#at] !== ')') this.#problem ??= "expecting ')'";
      this.#at += 1;
      return inner;
    }
    if (token === '-') return -this.#primary();
    if (token === '+') return this.#primary();
    if (token === '!') return this.#primary() === 0 ? 1 : 0;
    if (token === '~') return -this.#primary() - 1;
    this.#problem ??= 'expecting primary';
    return 0;
  }

  #assignment(name: string): number {
    const operator = this.#tokens[this.#at] ?? '';
    if (!/^[-+*/%]?=$/.test(operator)) return this.#value(name);
    this.#at += 1;
    const right = this.#ternary();
    const result = operator === '=' ? right : apply(operator.slice(0, 1), this.#value(name), right);
    this.#set(name, String(result));
    return result;
  }

  #binary(level: number): number {
    const operators = levels[level];
    if (operators === undefined) return this.#primary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#tokens[this.#at] ?? '';
      if (!operators.includes(operator)) return left;
      this.#at += 1;
      left = apply(operator, left, this.#binary(level + 1));
    }
  }

  #ternary(): number {
    const condition = this.#binary(0);
    if (this.#tokens[this.#at] !== '?') return condition;
    this.#at += 1;
    const yes = this.#ternary();
    if (this.#tokens[this.#at] !== ':') this.#problem ??= "expecting ':'";
    this.#at += 1;
    const no = this.#ternary();
    return condition === 0 ? no : yes;
  }
}

/** The value of an expression, or what is wrong with it. */
export function calculate(
  text: string,
  get: (name: string) => string,
  set: (name: string, value: string) => void,
): number | string {
  const tokens = tokenize(text);
  if (tokens === null) return 'expecting primary';
  if (tokens.length === 0) return 0;
  try {
    return new Calculation(tokens, get, set).result();
  } catch (error) {
    if (error instanceof DivisionByZero) return 'division by zero';
    throw error;
  }
}
