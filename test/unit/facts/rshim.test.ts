import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import {
  findRshim,
  parseRshimMisc,
  parseRshims,
  readRshims,
  readRshimService,
  readRunningInstallers,
  silentRshim,
} from '../../../src/facts/rshim.ts';
import { fixture } from '../../support/fixture.ts';

const b3240 = { pciAddress: '0000:e1:00.0', partNumber: '900-9D3B6-00CN-AB0' };
const { signal } = new AbortController();

/** A host that answers every command like this. */
function hostSaying(result: Partial<CommandResult>): HostReader {
  const whole = { stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...result };
  return { name: 'as7', read: () => Promise.resolve(whole) };
}

describe('rshim misc', () => {
  it('is read at level 0, with keys that fill their column', () => {
    expect(parseRshimMisc('as7', fixture('rshim/misc-level-0.txt'))).toEqual({
      displayLevel: 0,
      mode: 'DPU mode',
      dropMode: false,
      devName: 'pcie-0000:e1:00.2',
      opn: '9009D3B600CNAB',
      log: [],
    });
  });

  it('of an older driver has no mode and no part number', () => {
    const misc = parseRshimMisc('as7', fixture('rshim/misc-older-driver.txt'));

    expect(misc).toMatchObject({ mode: undefined, opn: undefined, devName: 'pcie-e1:00.2' });
  });

  it('of level 2 ends with the log, which is no field', () => {
    const misc = parseRshimMisc('as7', fixture('rshim/misc-level-2-after-flash.txt'));

    expect(misc.displayLevel).toBe(2);
    expect(misc.log.at(-1)).toBe('INFO[MISC]: DPU is ready');
  });

  it.each([
    ['nothing', ''],
    ['half of it', fixture('rshim/misc-level-0.txt').slice(0, 150)],
    ['an unknown DROP_MODE', fixture('rshim/misc-level-0.txt').replace('DROP_MODE       0', 'DROP_MODE       x')],
  ])('is refused when it is %s', (_what, text) => {
    expect(() => parseRshimMisc('as7', text)).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });

  it('never breaks in another way, whatever it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseRshimMisc('as7', text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'output-unreadable' });
        }
      }),
    );
  });
});

describe('the rshim of a card', () => {
  it.each([
    ['by PCI bus and device', 'list-two-cards.txt', b3240, 'rshim0'],
    [
      'also where its part number is not known',
      'list-two-cards.txt',
      { ...b3240, pciAddress: '0000:41:00.0' },
      'rshim1',
    ],
  ])('is found %s', (_how, file, card, name) => {
    expect(findRshim('as7', parseRshims('as7', fixture(`rshim/${file}`)), card)?.name).toBe(name);
  });

  it('is found where the driver leaves the PCI domain out', () => {
    const text = `=== rshim3\n${fixture('rshim/misc-older-driver.txt')}`;

    expect(findRshim('as7', parseRshims('as7', text), b3240)?.name).toBe('rshim3');
  });

  it('is not found at another address, over USB, or in recovery', () => {
    const list = fixture('rshim/list-two-cards.txt');
    const elsewhere = { ...b3240, pciAddress: '0000:e2:00.0' };

    expect(findRshim('as7', parseRshims('as7', list), elsewhere)).toBeUndefined();
    for (const name of ['usb-2.1', 'pcie-lf-0000:e1:00.2'])
      expect(findRshim('as7', parseRshims('as7', list.replace('pcie-0000:e1:00.2', name)), b3240)).toBeUndefined();
  });

  it('with another part number than the card stops everything', () => {
    const devices = parseRshims('as7', fixture('rshim/list-two-cards.txt'));

    expect(() => findRshim('as7', devices, { ...b3240, partNumber: '900-9D3B6-00CV-AA0' })).toThrow(
      expect.objectContaining({ code: 'output-unreadable' }),
    );
  });

  it('is not touched while an installer collects its log', () => {
    const devices = parseRshims('as7', fixture('rshim/list-one-busy.txt'));

    expect(devices[0]).toEqual({ name: 'rshim0', busy: true });
    expect(findRshim('as7', devices, b3240)).toBeUndefined();
    expect(silentRshim(devices)).toBeUndefined();
  });

  it('that cannot be read is named with what was said, and hides no other', () => {
    const devices = parseRshims('as7', fixture('rshim/list-one-silent.txt'));

    expect(findRshim('as7', devices, b3240)).toBeUndefined();
    expect(findRshim('as7', devices, { pciAddress: '0000:41:00.0', partNumber: '900-9D3B6-00CV-AA0' })?.name).toBe(
      'rshim1',
    );
    expect(silentRshim(devices)).toMatch(/^\/dev\/rshim0\/misc cannot be read \(.*Device or resource busy\)$/);
  });
});

describe('the list of rshim devices', () => {
  it('is empty on a host without one', async () => {
    expect(await readRshims(hostSaying({}), signal)).toEqual([]);
  });

  it.each([
    ['it was cut', { stdout: fixture('rshim/list-two-cards.txt'), truncated: true }, 'output-unreadable'],
    ['text stands before the first device', { stdout: 'cat: oops\n' }, 'output-unreadable'],
    ['a device has a strange name', { stdout: '=== sda\n' }, 'output-unreadable'],
    ['the shell fails', { exitCode: 2, stderr: 'sh: 1: Syntax error' }, 'command-failed'],
    ['sudo asks', { exitCode: 1, stderr: 'sudo: a password is required' }, 'sudo-refused'],
  ])('is an error when %s', async (_what, result, code) => {
    await expect(readRshims(hostSaying(result), signal)).rejects.toMatchObject({ code });
  });
});

describe('running installers', () => {
  it('are named by their words', async () => {
    const stdout = '4711 /bin/bash /usr/sbin/bfb-install --rshim rshim1 --bfb x.bfb\n';

    expect(await readRunningInstallers(hostSaying({ stdout }), signal)).toEqual([
      '/bin/bash /usr/sbin/bfb-install --rshim rshim1 --bfb x.bfb',
    ]);
  });

  it('are none when pgrep finds nothing', async () => {
    const stderr = 'sudo: unable to resolve host as7: Name or service not known\n';

    expect(await readRunningInstallers(hostSaying({ exitCode: 1 }), signal)).toEqual([]);
    expect(await readRunningInstallers(hostSaying({ exitCode: 1, stderr }), signal)).toEqual([]);
  });

  it('are not taken for none when pgrep itself fails', async () => {
    const broken = hostSaying({ exitCode: 1, stderr: 'sudo: a password is required' });

    await expect(readRunningInstallers(broken, signal)).rejects.toMatchObject({ code: 'sudo-refused' });
  });
});

describe('the rshim service', () => {
  it.each([
    ['LoadState=loaded\nActiveState=active\n', 'running'],
    ['LoadState=loaded\nActiveState=failed\n', 'stopped'],
    ['LoadState=not-found\nActiveState=inactive\n', 'missing'],
  ] as const)('with %j is %s', async (stdout, expected) => {
    expect(await readRshimService(hostSaying({ stdout }), signal)).toBe(expected);
  });

  it('is an error without both properties', async () => {
    await expect(readRshimService(hostSaying({ stdout: 'ActiveState=active\n' }), signal)).rejects.toMatchObject({
      code: 'output-unreadable',
    });
  });
});
