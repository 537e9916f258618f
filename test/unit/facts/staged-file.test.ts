import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostReader } from '../../../src/domain/device-ports.ts';
import type { Image } from '../../../src/domain/image.ts';
import { OpsError } from '../../../src/errors.ts';
import { parseStagedFile, partPath, readStagedImage, stagedPath } from '../../../src/facts/staged-file.ts';
import { fixture } from '../../support/fixture.ts';

const sha256 = '8a5c9b1f'.repeat(8);
const image: Image = {
  url: 'https://images.example/bf-bundle.bfb',
  sha256,
  bytes: 1_476_395_008,
  version: 'bf-bundle-2.9.2-32',
  docaVersion: '2.9.2',
  signed: true,
};
const signal = new AbortController().signal;

/** A host that answers the look-up with `look` and every sha256sum with `hashed`; notes what was asked. */
function hostWith(look: string, hashed: string, asked: string[] = [], exitCode = 0): HostReader {
  return {
    name: 'as7',
    read: (command) => {
      asked.push(command.name);
      const stdout = command.name === 'sha256sum' ? hashed : look;
      return Promise.resolve({ stdout, stderr: '', exitCode, truncated: false, durationMs: 1 });
    },
  };
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof OpsError ? error.code : String(error);
  }
  return 'no error';
}

describe('staged-file', () => {
  it('reads a host that has nothing yet', () => {
    const seen = parseStagedFile('as7', fixture('stage/nothing.txt'));

    expect(seen).toEqual({
      fileBytes: undefined,
      partBytes: undefined,
      noted: false,
      jobs: [],
      freeBytes: 15_728_640_000,
    });
  });

  it('reads a part with the jobs that fetched it', () => {
    const seen = parseStagedFile('as7', fixture('stage/part.txt'));

    expect(seen).toMatchObject({ partBytes: 536_870_912, fileBytes: undefined });
    expect(seen.jobs).toEqual(['run417-stage-bfb-8a5c9b1f8a5c-1', 'run418-stage-bfb-8a5c9b1f8a5c-2']);
  });

  it('believes a note only when size and time of change of the file fit', () => {
    const text = fixture('stage/staged.txt');

    expect(parseStagedFile('as7', text).noted).toBe(true);
    expect(parseStagedFile('as7', text.replace(/^(note \d+ )\d/m, '$19')).noted).toBe(false);
    expect(parseStagedFile('as7', text.replace(/^note .*/m, 'note scribble')).noted).toBe(false);
    expect(parseStagedFile('as7', text.replace(/^file .*/m, 'file absent')).noted).toBe(false);
  });

  it('takes no note for a proof where note and file are both absent', () => {
    expect(parseStagedFile('as7', fixture('stage/nothing.txt')).noted).toBe(false);
  });

  it('does not guess when a line is missing, cut off or of another kind', async () => {
    const text = fixture('stage/part.txt');
    const lines = text.split('\n').slice(0, -1);
    const without = lines.filter((line) => !line.startsWith('job ')).map((line) => text.replace(`${line}\n`, ''));
    const broken = [...without, '', text.slice(0, -1), text.replace('536870912', '512M'), `motd\n${text}`];

    const codes = await Promise.all(broken.map((one) => codeOf(() => parseStagedFile('as7', one))));

    expect(new Set(codes)).toEqual(new Set(['output-unreadable']));
  });

  it('reads whatever sizes a host prints, or says that it cannot', () => {
    const size = fc.nat({ max: 999_999_999_999 });
    fc.assert(
      fc.property(fc.option(size), fc.option(size), size, (file, part, free) => {
        const line = (bytes: number | null): string => (bytes === null ? 'absent' : `${bytes} 1732300000`);
        const seen = parseStagedFile('as7', `file ${line(file)}\npart ${line(part)}\nnote absent\nfree ${free}\n`);
        expect(seen).toMatchObject({ fileBytes: file ?? undefined, partBytes: part ?? undefined });
        expect(seen.freeBytes).toBe(free * 1024);
      }),
    );
  });

  it('names the file by what is in it', () => {
    expect(stagedPath(image)).toBe(`/var/lib/dpubot/images/${sha256}.bfb`);
    expect(partPath(image)).toBe(`/var/lib/dpubot/images/${sha256}.bfb.part`);
  });
});

describe('staged-file: proof', () => {
  const staged = fixture('stage/staged.txt');
  const noNote = staged.replace(/^note .*/m, 'note absent');
  const hashLine = `${sha256}  ${stagedPath(image)}\n`;

  it.each([
    ['a fitting note: nothing is hashed', staged, hashLine, 'note', ['staged image']],
    ['no note: the file is hashed', noNote, hashLine, 'hash', ['staged image', 'sha256sum']],
    ['no note and another hash', noNote, hashLine.replace(/^8/, '9'), 'none', ['staged image', 'sha256sum']],
    ['another size: not worth hashing', noNote.replace('file 1', 'file 2'), hashLine, 'none', ['staged image']],
    ['nothing there', fixture('stage/nothing.txt'), hashLine, 'none', ['staged image']],
  ])('%s', async (_title, look, hashed, proof, commands) => {
    const asked: string[] = [];

    const seen = await readStagedImage(hostWith(look, hashed, asked), image, signal);

    expect(seen.proof).toBe(proof);
    expect(asked).toEqual(commands);
  });

  it('does not take the hash of another file, nor an empty answer', async () => {
    const other = `${sha256}  /etc/passwd\n`;
    const codes = await Promise.all(
      [other, '', `${sha256}\n`].map((hashed) =>
        codeOf(() => readStagedImage(hostWith(noNote, hashed), image, signal)),
      ),
    );

    expect(codes).toEqual(['output-unreadable', 'output-unreadable', 'output-unreadable']);
  });

  it('says so when the look fails', async () => {
    const code = await codeOf(() => readStagedImage(hostWith('', '', [], 1), image, signal));

    expect(code).toBe('command-failed');
  });
});
