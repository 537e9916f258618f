import { describe, expect, it } from 'vitest';
import { errors } from '../../src/errors.ts';
import { filesBelow, readSource, typescriptIn, withoutComments } from './sources.ts';

interface CatalogueEntry {
  /** Name of the constructor in `errors`. */
  readonly name: string;
  readonly code: string;
  readonly kind: string;
}

/** The entries of one file of the catalogue, read from its source: a constructor's code and kind are literals. */
function readCatalogue(text: string): CatalogueEntry[] {
  const entry = /^ {2}(\w+): (?:\(|<)(?:(?!^ {2}\w+: )[\s\S])*?make\(\s*'([^']+)',\s*'([^']+)'/gm;
  return [...text.matchAll(entry)].map(([, name = '', code = '', kind = '']) => ({ name, code, kind }));
}

const files = [readSource('src/errors.ts'), ...typescriptIn('src/errors')];
const catalogue = files.flatMap(({ text }) => readCatalogue(text));
const product = typescriptIn('src', 'commands', 'jobs')
  .filter(({ path }) => !files.some((file) => file.path === path))
  .map(({ text }) => withoutComments(text))
  .join('\n');
const tests = typescriptIn('test')
  .filter(({ path }) => !path.startsWith('test/policy/'))
  .map(({ text }) => text)
  .join('\n');
const runbooks = filesBelow('docs/runbooks', /\.md$/).map(readSource);

describe('the error catalogue', () => {
  it('is read in full: every make() of its files belongs to an entry', () => {
    const calls = files.flatMap(({ text }) => text.match(/\bmake\(\s*'/g) ?? []);

    expect(catalogue).toHaveLength(calls.length);
    expect(catalogue.length).toBeGreaterThan(50);
  });

  it('is merged in full: `errors` has every constructor of its files, and no name stands in two of them', () => {
    expect(catalogue.map((entry) => entry.name).toSorted()).toEqual(Object.keys(errors).toSorted());
  });

  it('has permanent codes in kebab-case, each once', () => {
    const codes = catalogue.map((entry) => entry.code);

    expect(codes.filter((code) => !/^[a-z]+(-[a-z]+)*$/.test(code))).toEqual([]);
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it('has only the four kinds', () => {
    const kinds = ['transient', 'permanent', 'needs-human', 'bug'];

    expect(catalogue.filter((entry) => !kinds.includes(entry.kind))).toEqual([]);
  });

  it('is used: no constructor that nothing throws', () => {
    const unused = catalogue.filter(({ name }) => !new RegExp(`\\berrors\\s*\\.\\s*${name}\\b`).test(product));

    expect(unused.map((entry) => entry.name)).toEqual([]);
  });

  it('is tested: every code or constructor stands in a test of behaviour', () => {
    const untested = catalogue.filter(
      ({ name, code }) => !tests.includes(`'${code}'`) && !new RegExp(`\\berrors\\.${name}\\b`).test(tests),
    );

    expect(untested.map((entry) => entry.code)).toEqual([]);
  });

  it('speaks to adults: nothing is begged for, cheered or joked about', () => {
    const begged = files.flatMap(({ text }) => text.match(/\b(?:please|sorry|oops|whoops|unfortunately)\b/gi) ?? []);

    expect(begged).toEqual([]);
  });
});

describe('runbooks', () => {
  it('exist for every error that needs a person, and for no other', () => {
    const wanted = catalogue.filter((entry) => entry.kind === 'needs-human').map((entry) => entry.code);
    const present = runbooks
      .map(({ path }) => path.replace(/^docs\/runbooks\/|\.md$/g, ''))
      .filter((name) => name !== 'README');

    expect(present.toSorted()).toEqual(wanted.toSorted());
  });

  it('name the code they are for in their title', () => {
    const untitled = runbooks.filter(
      ({ path, text }) =>
        !path.endsWith('/README.md') && !text.split('\n')[0]?.includes(path.replace(/^.*\/|\.md$/g, '')),
    );

    expect(untitled.map(({ path }) => path)).toEqual([]);
  });
});

describe('reading the catalogue', () => {
  it('finds name, code and kind of arrow functions with and without arguments of their own line', () => {
    const text = [
      '  one: (a: { x: string }) =>',
      "    make('code-one', 'permanent', {",
      '  two: (',
      '    a: { y: string } & WithState,',
      '  ) =>',
      "    make('code-two', 'needs-human', {",
      "  three: () => make('code-three', 'bug', {}),",
    ].join('\n');

    expect(readCatalogue(text).map(({ name, code, kind }) => [name, code, kind])).toEqual([
      ['one', 'code-one', 'permanent'],
      ['two', 'code-two', 'needs-human'],
      ['three', 'code-three', 'bug'],
    ]);
  });
});
