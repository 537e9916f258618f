import { describe, expect, it } from 'vitest';
import { DpuEntry } from '../../../src/domain/inventory.ts';
import type { HostReader } from '../../../src/domain/device-ports.ts';
import { checkCardUse } from '../../../src/steps/check-card-use.ts';
import { checkDpuMode } from '../../../src/steps/check-dpu-mode.ts';
import { pciAddressesOf } from '../../../src/steps/power-cards.ts';
import { fixture } from '../../support/fixture.ts';
import { PowerWorld } from './power-world.ts';

const dpu = DpuEntry.parse({ name: 'as7-dpu0', bmc: { address: '127.0.0.1' } });
const free = { hostName: 'as7', vital: [], unknown: [], services: [] };
const vital = { ...free, vital: ['the way of the worker to this host goes over br0'] };

function diff(observed: unknown, viaCard = false): ReturnType<typeof checkCardUse.diff> {
  return checkCardUse.diff(observed, { viaCard }, dpu);
}

describe('check-card-use', () => {
  it('refuses a card the host hangs on, and names the flag and the danger', () => {
    const result = diff(vital);

    expect(result).toMatchObject({ kind: 'refused', failure: { code: 'card-in-use', deviceState: 'unchanged' } });
    expect(result.kind === 'refused' && result.failure.next).toContain('--via-card');
  });

  it('refuses when it cannot be found out', () => {
    const result = diff({ ...free, unknown: ['its root file system is rpool (zfs)'] });

    expect(result).toMatchObject({ kind: 'refused', failure: { code: 'card-use-unknown' } });
  });

  it.each([
    ['vital', vital],
    ['unknown', { ...free, unknown: ['its root file system is rpool (zfs)'] }],
  ])('goes on with --via-card, with a warning, when the use is %s', (_title, observed) => {
    expect(diff(observed, true)).toMatchObject({
      kind: 'satisfied',
      warning: expect.stringContaining('may be lost until the card is back'),
    });
  });

  it('warns of what is in service', () => {
    expect(diff({ ...free, services: ['br0 has 10.4.2.9/24'] })).toEqual({
      kind: 'satisfied',
      reason: 'in service',
      warning: 'as7-dpu0 is in use and will be interrupted: br0 has 10.4.2.9/24',
    });
  });

  it('says so when nobody uses it', () => {
    expect(diff(free)).toEqual({ kind: 'satisfied', reason: 'nobody uses it' });
  });
});

describe('check-dpu-mode with --set-mode', () => {
  const nic = { mode: 'nic', bmcSerial: 'MT1', cardSerial: 'MT1', runId: 7 };

  it('lets a card in NIC mode pass, because a later step changes that', () => {
    expect(checkDpuMode.diff(nic, { setMode: true }, dpu)).toMatchObject({ kind: 'satisfied' });
    expect(checkDpuMode.diff(nic, { setMode: false }, dpu)).toMatchObject({ failure: { code: 'nic-mode' } });
  });

  it('still refuses the BMC of another card', () => {
    expect(checkDpuMode.diff({ ...nic, bmcSerial: 'MT9' }, { setMode: true }, dpu)).toMatchObject({
      failure: { code: 'wrong-card' },
    });
  });
});

describe('power-cards', () => {
  const { slice } = new PowerWorld();
  const { signal } = new AbortController();
  const stdout = fixture('lspci/two-cards-older-pciutils.txt');
  const host: HostReader = {
    name: 'as7',
    read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 }),
  };

  it('finds cards by serial wherever they sit, else by their address', async () => {
    const serials = [...stdout.matchAll(/\[SN\] Serial number: (\S+)/g)].map((match) => match[1]);
    const named = { slice, dpu: { ...dpu, pciAddress: '0000:e1:00.0' }, serial: serials.at(-1) ?? '' };
    const placed = { slice, dpu: { ...dpu, name: 'as7-dpu1', pciAddress: '0000:e1:00.0' } };

    const addresses = await pciAddressesOf(host, [named, placed], signal);

    expect(new Set(serials).size).toBe(2);
    expect(addresses.get('as7-dpu0')).toBe('0000:21:00.0');
    expect(addresses.get('as7-dpu1')).toBe('0000:e1:00.0');
  });

  it('does not choose between two cards, and does not take another one', async () => {
    await expect(pciAddressesOf(host, [{ slice, dpu }], signal)).rejects.toMatchObject({ code: 'card-ambiguous' });
    await expect(pciAddressesOf(host, [{ slice, dpu, serial: 'MT0' }], signal)).rejects.toMatchObject({
      code: 'card-not-found',
    });
  });
});
