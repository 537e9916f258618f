import { describe, expect, it } from 'vitest';
import { parseDpuMode } from '../../../src/facts/dpu-mode.ts';
import { parseDpuSystem } from '../../../src/facts/dpu-system.ts';
import { parseHostSystem } from '../../../src/facts/host-system.ts';
import { parsePciCards, readPciCards } from '../../../src/facts/pci-cards.ts';
import { expectSuccess } from '../../../src/facts/read-helpers.ts';
import { isSecureBootOff, parseSecureBoot, secureBootText } from '../../../src/facts/secure-boot.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

describe('pci-cards', () => {
  it('reads both functions of a B3240 as one card, without the blanks behind its serial', () => {
    const cards = parsePciCards('as7', fixture('lspci/one-b3240.txt'));

    expect(cards).toEqual([
      {
        pciAddress: '0000:e1:00.0',
        partNumber: '900-9D3B6-00CN-AB0',
        serial: 'MT2334XZ0ABC',
        productName: expect.stringContaining('B3240'),
        link: { gtPerS: 32, width: 16 },
        capable: { gtPerS: 32, width: 16 },
      },
    ]);
  });

  it('reads "(ok)" and "(downgraded)" of other pciutils, and orders two cards by address', () => {
    const cards = parsePciCards('as7', fixture('lspci/two-cards-older-pciutils.txt'));

    expect(cards.map((card) => [card.pciAddress, card.link.gtPerS])).toEqual([
      ['0000:21:00.0', 8],
      ['0000:e1:00.0', 32],
    ]);
  });

  it('finds no card in an empty listing', () => {
    expect(parsePciCards('as7', '')).toEqual([]);
  });

  it('says that root is needed instead of inventing a serial', () => {
    const text = fixture('lspci/one-b3240.txt').replace(/Vital Product Data[\s\S]*?End/g, '<access denied>');

    expect(codeOf(() => parsePciCards('as7', text))).toBe('output-unreadable');
  });

  it.each(['[SN]', 'LnkSta', '[PN]'])('refuses a block without %s', (missing) => {
    const text = fixture('lspci/one-b3240.txt')
      .split('\n')
      .filter((line) => !line.includes(missing))
      .join('\n');

    expect(codeOf(() => parsePciCards('as7', text))).toBe('output-unreadable');
  });

  it('refuses one card with two serial numbers', () => {
    const text = fixture('lspci/one-b3240.txt').replace('MT2334XZ0ABC    \n', 'MT2334XZ0XXX\n');

    expect(codeOf(() => parsePciCards('as7', text))).toBe('output-unreadable');
  });

  it('never returns a card with half a serial or part number, wherever the text is cut off', () => {
    const whole = fixture('lspci/two-cards-older-pciutils.txt');
    const names = parsePciCards('as7', whole).map((card) => `${card.serial} ${card.partNumber}`);
    for (let length = 0; length <= whole.length; length += 1) {
      let cards: ReturnType<typeof parsePciCards> = [];
      const code = codeOf(() => (cards = parsePciCards('as7', whole.slice(0, length))));
      expect(['no error', 'output-unreadable'], `${length}`).toContain(code);
      for (const card of cards) expect(names, `${length}`).toContain(`${card.serial} ${card.partNumber}`);
    }
  });
});

describe('host-system', () => {
  it('reads kernel, machine and the name of the OS in either kind of quotes', () => {
    expect(parseHostSystem('as7', '5.15.0-91-generic x86_64\n', `NAME=x\nPRETTY_NAME='Ubuntu 22.04.4 LTS'\n`)).toEqual({
      kernel: '5.15.0-91-generic',
      machine: 'x86_64',
      os: 'Ubuntu 22.04.4 LTS',
    });
  });

  it('refuses output that lacks a part', () => {
    expect(codeOf(() => parseHostSystem('as7', '5.15\n', 'PRETTY_NAME=x'))).toBe('output-unreadable');
    expect(codeOf(() => parseHostSystem('as7', '5.15 x86_64', 'NAME=x'))).toBe('output-unreadable');
  });

  it('does not take a list of cards whose middle was dropped for a whole one', async () => {
    const stdout = fixture('lspci/one-b3240.txt');
    const result = { stdout, stderr: '', exitCode: 0, truncated: true, durationMs: 1 };
    const host = { name: 'as7', read: () => Promise.resolve(result) };

    await expect(readPciCards(host, new AbortController().signal)).rejects.toMatchObject({ code: 'output-unreadable' });
  });

  it('tells a sudo that asks for a password from a command that failed', () => {
    const result = { stdout: '', exitCode: 1, truncated: false, durationMs: 1 };

    expect(codeOf(() => expectSuccess('as7', 'x', { ...result, stderr: 'sudo: a password is required\n' }))).toBe(
      'sudo-refused',
    );
    expect(codeOf(() => expectSuccess('as7', 'x', { ...result, stderr: 'boom' }))).toBe('command-failed');
    const note = 'sudo: unable to resolve host as7: Name or service not known\n';
    expect(codeOf(() => expectSuccess('as7', 'x', { ...result, stderr: note }))).toBe('command-failed');
    expect(codeOf(() => expectSuccess('as7', 'x', { ...result, stderr: 'sudo: lspci: command not found' }))).toBe(
      'command-failed',
    );
    expect(codeOf(() => expectSuccess('as7', 'x', { ...result, stderr: '', exitCode: 0 }))).toBe('no error');
  });
});

describe('secure-boot', () => {
  it('reads off from the capture of a B3220', () => {
    const state = parseSecureBoot('dpu', jsonFixture('redfish/secure-boot.bf24.10.txt'));

    expect(state).toEqual({ enable: false, currentBoot: 'Disabled' });
    expect(isSecureBootOff(state)).toBe(true);
  });

  it('is not off as long as the running boot has it, or nothing is reported', () => {
    const on = { enable: false, currentBoot: 'Enabled' } as const;
    const missing = parseSecureBoot('dpu', { '@odata.id': '/redfish/v1/Systems/Bluefield/SecureBoot' });

    expect(isSecureBootOff(on)).toBe(false);
    expect(isSecureBootOff(missing)).toBe(false);
    expect(secureBootText(missing)).toBe('not reported');
    expect(secureBootText(on)).toBe('off (running boot: Enabled)');
  });

  it.each([
    null,
    '',
    [],
    { '@odata.id': 'x', SecureBootEnable: 'no' },
    { '@odata.id': 'x', SecureBootCurrentBoot: 'Maybe' },
  ])('refuses %j instead of taking a default', (body) => {
    expect(codeOf(() => parseSecureBoot('dpu', body))).toBe('redfish-unexpected');
  });
});

describe('dpu-system and dpu-mode', () => {
  it('reads the capture of a B3220', () => {
    expect(parseDpuSystem('dpu', jsonFixture('redfish/system.bf24.10.txt'))).toEqual({
      serial: 'MT2423600ANG',
      powerState: 'On',
      bootState: 'OsIsRunning',
      bootStateTime: '1970-01-21T01:08:26.189979+00:00',
    });
    expect(parseDpuMode('dpu', jsonFixture('redfish/oem-nvidia.bf24.10.txt'))).toBe('dpu');
  });

  it('trims the blanks that older firmware puts behind the serial', () => {
    const body = { SerialNumber: 'MT2328XZ185R            ', PowerState: 'On' };

    expect(parseDpuSystem('dpu', body)).toMatchObject({ serial: 'MT2328XZ185R', bootState: 'not-reported' });
  });

  it('reads nic mode, and refuses a mode it does not know', () => {
    expect(parseDpuMode('dpu', { Mode: 'NicMode' })).toBe('nic');
    expect(codeOf(() => parseDpuMode('dpu', { Mode: 'ZeroTrust' }))).toBe('redfish-unexpected');
    expect(codeOf(() => parseDpuMode('dpu', {}))).toBe('redfish-unexpected');
  });
});
