import { describe, expect, it } from 'vitest';
import { Files } from '../../../src/lab/rack/files/files.ts';
import { testRack } from './helpers.ts';

const root = { user: 'root', root: true };

/** A file system with one live switch, and how often its live files were put together. */
function switchable(): { files: Files; made: () => number } {
  let made = 0;
  let value = 'off';
  const files = new Files({
    stored: () => ({}),
    live: () => {
      made += 1;
      const write = (text: string): null => {
        value = text;
        return null;
      };
      return new Map([
        ['/sys/switch', { text: value, write }],
        ...(value === 'on' ? ([['/sys/lamp', { text: 'bright' }]] as const) : []),
      ]);
    },
    nowMs: () => 0,
    freeBytes: () => 1_000_000,
    hasProgram: () => false,
  });
  return { files, made: () => made };
}

describe('live files', () => {
  it('are put together once in a look, and once for a pattern', () => {
    const { files, made } = switchable();

    const seen = files.look(() => [files.read('/sys/switch', root), files.list('/sys'), files.find('/sys/lamp')]);
    const afterLook = made();
    const matching = files.glob('/sys/s*');

    expect(seen).toEqual(['off', ['switch'], null]);
    expect(matching).toEqual(['/sys/switch']);
    expect([afterLook, made()]).toEqual([1, 2]);
  });

  it('are fresh after a write, also in the look it happens in', () => {
    const { files } = switchable();

    const inOneLook = files.look(() => {
      const before = files.list('/sys');
      files.write('/sys/switch', 'on', root);
      return [before, files.list('/sys')];
    });
    files.write('/sys/switch', 'off again', root);

    expect(inOneLook).toEqual([['switch'], ['lamp', 'switch']]);
    expect(files.list('/sys')).toEqual(['switch']);
  });

  it('show to the rest of a command line what it has written', () => {
    const host = testRack().rack.host('as7');
    const driver = '/sys/bus/pci/drivers/mlx5_core';
    const show = `ls ${driver}; find ${driver}/ -name '*:*' -printf '%f\\n'; echo ${driver}/*:*`;
    const line = `${show}; echo 0000:e1:00.0 > ${driver}/unbind; ${show}`;

    const { stdout } = host.exec('ops', `sudo -n sh -c "${line}"`);

    const [left, right] = ['0000:e1:00.0', '0000:e1:00.1'];
    expect(stdout).toBe(
      `${left}\n${right}\nbind\nunbind\n${left}\n${right}\n${driver}/${left} ${driver}/${right}\n` +
        `${right}\nbind\nunbind\n${right}\n${driver}/${right}\n`,
    );
  });

  it('show to find what its own -exec has changed', () => {
    const host = testRack().rack.host('as7');
    host.exec('ops', 'sudo -n ip link add lamp0 type dummy; sudo -n ip link add lamp1 type dummy');

    const { stdout } = host.exec('ops', "sudo -n find /sys/class/net -name 'lamp*' -print -exec ip link del lamp1 \\;");

    expect(stdout).toBe('/sys/class/net/lamp0\n');
  });
});
