import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostReader } from '../../../src/domain/device-ports.ts';
import { isModePending, isModeStored, modeOf, parseSetting, readModeConfig } from '../../../src/facts/mlxconfig.ts';
import { parseNicFirmware, readNicFirmware } from '../../../src/facts/nic-firmware.ts';
import { fixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

const device = '0000:e1:00.0';
const { signal } = new AbortController();

/** A host that answers each command with the next of these outputs. */
function hostOf(...outputs: readonly { readonly stdout: string; readonly exitCode?: number }[]): HostReader {
  const queue = [...outputs];
  return {
    name: 'as7',
    read: () => {
      const { stdout = '', exitCode = 0 } = queue.shift() ?? {};
      return Promise.resolve({ stdout, stderr: '', exitCode, truncated: false, durationMs: 1 });
    },
  };
}

describe('nic-firmware', () => {
  it('takes the one version for both when flash and running firmware are the same', () => {
    expect(parseNicFirmware('d', fixture('flint/same.txt'))).toEqual({ running: '32.43.1014', staged: '32.43.1014' });
  });

  it('reads the staged version beside the running one', () => {
    expect(parseNicFirmware('d', fixture('flint/staged.txt'))).toEqual({ running: '32.39.2048', staged: '32.43.1014' });
  });

  it.each(['', 'Image type: FS4\n', 'FW Version:            --\n', 'FW Version: 32.1.2\nFW Version: 32.1.3\n'])(
    'refuses %j instead of taking a default',
    (text) => {
      expect(codeOf(() => parseNicFirmware('d', text))).toBe('output-unreadable');
    },
  );

  it('never takes a broken running version for "nothing is staged"', () => {
    const text = fixture('flint/staged.txt').replace('32.39.2048', 'N/A');

    expect(codeOf(() => parseNicFirmware('d', text))).toBe('output-unreadable');
  });

  it('either reads both versions whole or refuses, wherever the text is cut off at a line', () => {
    const lines = fixture('flint/staged.txt').split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length), fc.nat(lines.length), (from, to) => {
        const text = lines.slice(from, to).join('\n');
        const read = codeOf(() => parseNicFirmware('d', text));
        expect(read).toBe(
          lines.slice(from, to).some((line) => line.startsWith('FW Version:')) ? 'no error' : 'output-unreadable',
        );
      }),
    );
  });

  it('tells hung firmware from a tool that failed', async () => {
    const wedged = hostOf({ stdout: fixture('flint/wedged.txt'), exitCode: 1 });
    const failed = hostOf({ stdout: '-E- Cannot open Device: 0000:e1:00.0. No such device', exitCode: 1 });

    await expect(readNicFirmware(wedged, 'as7-dpu0', device, signal)).rejects.toMatchObject({
      code: 'firmware-wedged',
      failure: { kind: 'needs-human' },
    });
    await expect(readNicFirmware(failed, 'as7-dpu0', device, signal)).rejects.toMatchObject({ code: 'command-failed' });
  });
});

describe('mlxconfig', () => {
  const read = (name: string): ReturnType<typeof readModeConfig> =>
    readModeConfig(hostOf({ stdout: fixture(name) }), 'as7-dpu0', device, signal);

  it('reads DPU mode from the inverted enum', async () => {
    const config = await read('mlxconfig/dpu-mode.txt');

    expect(config.engine).toEqual({ current: 'ENABLED(0)', next: 'ENABLED(0)' });
    expect([modeOf(config, 'current'), isModePending(config), isModeStored(config, 'dpu')]).toEqual([
      'dpu',
      false,
      true,
    ]);
  });

  it('sees that a mode waits, also with the wider columns of newer versions', async () => {
    const config = await read('mlxconfig/dpu-mode-pending.txt');

    expect([modeOf(config, 'current'), modeOf(config, 'next'), isModePending(config)]).toEqual(['nic', 'dpu', true]);
  });

  it('does not take the star of a value that differs from its default for one that waits', async () => {
    const config = await read('mlxconfig/nic-mode.txt');

    expect([modeOf(config, 'current'), isModePending(config), isModeStored(config, 'dpu')]).toEqual([
      'nic',
      false,
      false,
    ]);
  });

  it('asks again without the model where the firmware does not know it', async () => {
    const missing = { stdout: fixture('mlxconfig/no-model.txt'), exitCode: 3 };
    const known = { stdout: fixture('mlxconfig/dpu-mode.txt') };

    const config = await readModeConfig(hostOf(missing, known), 'as7-dpu0', device, signal);

    expect(config).toEqual({ engine: { current: 'ENABLED(0)', next: 'ENABLED(0)' } });
  });

  it('says which setting the firmware lacks, and that it hangs', async () => {
    const missing = { stdout: "-E- The Device doesn't support INTERNAL_CPU_OFFLOAD_ENGINE parameter\n", exitCode: 3 };
    const wedged = { stdout: fixture('flint/wedged.txt'), exitCode: 1 };

    await expect(readModeConfig(hostOf(missing), 'd', device, signal)).rejects.toMatchObject({
      code: 'nic-parameter-missing',
    });
    await expect(readModeConfig(hostOf(wedged), 'd', device, signal)).rejects.toMatchObject({
      code: 'firmware-wedged',
    });
  });

  it.each([
    ['without the column of current values', (text: string) => text.replace(/Current +/, '')],
    ['with a value less', (text: string) => text.replace('ENABLED(0)      ENABLED(0) ', 'ENABLED(0) ')],
    ['with values it does not know', (text: string) => text.replaceAll('ENABLED(0)', 'N/A')],
    ['without the row', (text: string) => text.replace(/.*OFFLOAD.*\n/, '')],
    ['with two rows', (text: string) => text.replace(/(.*OFFLOAD.*\n)/, '$1$1')],
  ])('refuses a table %s', (_title, change) => {
    const text = change(fixture('mlxconfig/dpu-mode.txt'));

    expect(codeOf(() => parseSetting('d', 'INTERNAL_CPU_OFFLOAD_ENGINE', text))).toBe('output-unreadable');
  });

  it('reads any values in any widths', () => {
    const word = fc.stringMatching(/^[A-Z_]{1,20}\(\d{1,2}\)$/);
    const gap = fc.stringMatching(/^ {1,40}$/);
    fc.assert(
      fc.property(
        word,
        word,
        word,
        gap,
        fc.constantFrom('', '*', 'RO', '* RO'),
        (first, current, next, blanks, mark) => {
          const row = [`${mark}        NAME`, first, current, next].join(blanks);
          const text = `Configurations:${blanks}Default${blanks}Current${blanks}Next Boot\n${row}  \n`;
          expect(parseSetting('d', 'NAME', text)).toEqual({ current, next });
        },
      ),
    );
  });
});
