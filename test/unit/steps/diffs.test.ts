import { describe, expect, it } from 'vitest';
import type { DpuEntry } from '../../../src/domain/inventory.ts';
import { DpuEntry as DpuEntrySchema, sliceOf } from '../../../src/domain/inventory.ts';
import type { ObserveContext, Step } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import type { PciCard } from '../../../src/facts/pci-cards.ts';
import { checkCredentials } from '../../../src/steps/check-credentials.ts';
import { checkDpuMode } from '../../../src/steps/check-dpu-mode.ts';
import { disableSecureBoot, lookAtSecureBootAgain } from '../../../src/steps/disable-secure-boot.ts';
import { identifyCard } from '../../../src/steps/identify-card.ts';
import { pinBmcCertificate } from '../../../src/steps/pin-bmc-certificate.ts';
import { setBmcPassword } from '../../../src/steps/set-bmc-password.ts';
import { makeInventory } from '../../support/make-run.ts';

const slice = sliceOf(makeInventory(['as7']), 'as7');
const dpu = DpuEntrySchema.parse({ name: 'as7-dpu0', bmc: { address: '127.0.0.1' } });

function diff(step: Step, observed: unknown, params: unknown = {}, entry: DpuEntry = dpu): ReturnType<Step['diff']> {
  return step.diff(observed, params, entry);
}

function outcome(result: ReturnType<Step['diff']>): string {
  return result.kind === 'refused' ? result.failure.code : result.kind;
}

function card(change: Partial<PciCard> = {}): PciCard {
  return {
    pciAddress: '0000:e1:00.0',
    partNumber: '900-9D3B6-00CN-AB0',
    serial: 'MT1',
    productName: 'B3240',
    link: { gtPerS: 32, width: 16 },
    capable: { gtPerS: 32, width: 16 },
    ...change,
  };
}

describe('identify-card', () => {
  const gen4 = { gtPerS: 16, width: 16 };
  it.each([
    ['a B3240 at 32 GT/s x16', [card()], {}, {}, 'satisfied'],
    ['no card at all', [], {}, {}, 'card-not-found'],
    ['another serial than the inventory names', [card()], {}, { serial: 'MT2' }, 'card-not-found'],
    [
      'two cards and nothing to tell them apart',
      [card(), card({ pciAddress: '0000:21:00.0', serial: 'MT2' })],
      {},
      {},
      'card-ambiguous',
    ],
    [
      'two cards and the serial of one',
      [card(), card({ pciAddress: '0000:21:00.0', serial: 'MT2' })],
      {},
      { serial: 'MT2' },
      'satisfied',
    ],
    [
      'two cards and the address of one',
      [card(), card({ pciAddress: '0000:21:00.0', serial: 'MT2' })],
      {},
      { pciAddress: '0000:e1:00.0' },
      'satisfied',
    ],
    ['a part number nobody knows', [card({ partNumber: '900-1' })], {}, {}, 'sku-unknown'],
    ['a storage controller', [card({ partNumber: '900-9D3C6-00CV-DA0' })], {}, {}, 'controller-sku'],
    ['a 400G card at 16 GT/s', [card({ link: gen4 })], {}, {}, 'pcie-link-slow'],
    ['a 400G card on eight lanes', [card({ link: { gtPerS: 32, width: 8 } })], {}, {}, 'pcie-link-slow'],
    ['a slow link that the profile accepts', [card({ link: gen4 })], { minPcieLink: gen4 }, {}, 'satisfied'],
    ['a 200G card at 16 GT/s', [card({ partNumber: '900-9D3B6-00CV-AA0', link: gen4 })], {}, {}, 'satisfied'],
  ])('%s', (_title, cards, params, entry, expected) => {
    expect(outcome(diff(identifyCard, { hostName: 'as7', cards }, params, { ...dpu, ...entry }))).toBe(expected);
  });

  it('says of a slow link whether the card or the slot is the limit', () => {
    const slot = diff(identifyCard, { hostName: 'as7', cards: [card({ link: gen4 })] });
    const cardItself = diff(identifyCard, { hostName: 'as7', cards: [card({ link: gen4, capable: gen4 })] });

    expect(slot.kind === 'refused' && slot.failure.why).toContain('slot, riser or BIOS');
    expect(cardItself.kind === 'refused' && cardItself.failure.why).toContain('the card itself reports no more');
  });
});

describe('pin-bmc-certificate', () => {
  const target = 'as7-dpu0';

  it('plans the pin with the fingerprint as what is approved', () => {
    const result = diff(pinBmcCertificate, { target, seen: 'ab'.repeat(32), pinned: undefined });

    expect(result).toMatchObject({
      kind: 'change',
      pins: [{ target, kind: 'bmc-certificate', sha256: 'ab'.repeat(32) }],
    });
  });

  it('is satisfied with the pinned one and never replaces a pin by itself', () => {
    expect(outcome(diff(pinBmcCertificate, { target, seen: 'a', pinned: 'a' }))).toBe('satisfied');
    expect(outcome(diff(pinBmcCertificate, { target, seen: 'b', pinned: 'a' }))).toBe('bmc-cert-changed');
  });
});

describe('set-bmc-password', () => {
  const known = { state: 'in', mustChange: false, bmcSerial: 'MT1', cardSerial: 'MT1', runId: 7 };

  it.each([
    ['the factory password', { ...known, slot: 'factory', mustChange: true, bmcSerial: undefined }, 'change'],
    ['the current password of this card', { ...known, slot: 'current' }, 'satisfied'],
    ['a password that was sent and not confirmed', { ...known, slot: 'pending' }, 'change'],
    ['an older password', { ...known, slot: 'previous' }, 'change'],
    [
      'a current password the BMC wants changed',
      { ...known, slot: 'current', mustChange: true, bmcSerial: undefined },
      'change',
    ],
    ['a current password at the BMC of another card', { ...known, slot: 'current', bmcSerial: 'MT9' }, 'wrong-card'],
    ['no pin yet and no factory password', { state: 'unpinned' }, 'deferred'],
    ['a lock-out', { state: 'locked', untilMs: 5 }, 'waiting'],
    ['every password refused', { state: 'refused', tried: ['current', 'factory'] }, 'bmc-login-refused'],
    [
      'the factory password refused, and no other ever filed',
      { state: 'refused', tried: ['factory'], cardSerial: 'MT1' },
      'card-set-up-by-hand',
    ],
  ])('%s', (_title, observed, expected) => {
    expect(outcome(diff(setBmcPassword, observed))).toBe(expected);
  });
});

describe('check-credentials', () => {
  it('lets a profile pass whose credentials can all be read, and names the first one that cannot', () => {
    const { failure } = errors.credentialMissing({ ref: 'tailscale' });

    expect(outcome(diff(checkCredentials, [], { refs: ['ssh-ops'] }))).toBe('satisfied');
    expect(outcome(diff(checkCredentials, [failure], { refs: ['ssh-ops', 'tailscale'] }))).toBe('credential-missing');
  });

  it('looks at every name, and leaves troubles of the store alone', async () => {
    const asked: string[] = [];
    const look = async (known: readonly string[], ref: string): Promise<void> => {
      asked.push(ref);
      if (ref === 'redis-away') throw errors.storeUnavailable({ operation: 'read' });
      if (!known.includes(ref)) throw errors.credentialMissing({ ref });
      return Promise.resolve();
    };
    const context = { checkCredential: async (ref: string) => look(['a'], ref) } as unknown as ObserveContext;

    const failures = await checkCredentials.observe(context, { refs: ['a', 'b', 'c'] });

    expect(asked).toEqual(['a', 'b', 'c']);
    expect(failures).toHaveLength(2);
    await expect(checkCredentials.observe(context, { refs: ['redis-away'] })).rejects.toThrow('Redis');
  });
});

describe('check-dpu-mode', () => {
  it('lets DPU mode pass and refuses NIC mode', () => {
    const ours = { bmcSerial: 'MT1', cardSerial: 'MT1', runId: 7 };

    expect(outcome(diff(checkDpuMode, { mode: 'dpu', ...ours }))).toBe('satisfied');
    expect(outcome(diff(checkDpuMode, { mode: 'nic', ...ours }))).toBe('nic-mode');
  });

  it('refuses a BMC that belongs to another card, whatever its mode', () => {
    const other = { mode: 'dpu', bmcSerial: 'MT9', cardSerial: 'MT1', runId: 7 };

    expect(outcome(diff(checkDpuMode, other))).toBe('wrong-card');
  });
});

describe('disable-secure-boot', () => {
  it.each([
    [
      'a flash of this card by dpubot',
      `77 bfb-install --rshim rshim0 --bfb x --config /run/dpubot/MT1.cfg`,
      'satisfied',
    ],
    ['a flash of another card', `77 bfb-install --rshim rshim1 --bfb x --config /run/dpubot/MT12.cfg`, 'change'],
    ['no flash', '', 'change'],
  ])('while there is %s', async (_title, running, expected) => {
    const on = { '@odata.id': 'x', SecureBootEnable: true, SecureBootCurrentBoot: 'Enabled' };
    const session = { target: 'as7-dpu0', get: () => Promise.resolve(on) };
    const result = { stdout: running, stderr: '', exitCode: running === '' ? 1 : 0, truncated: false, durationMs: 1 };
    const context = {
      dpu,
      card: { dpu, serial: 'MT1' },
      host: { name: 'as7', read: () => Promise.resolve(result) },
      bmc: { login: () => Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session }) },
      signal: new AbortController().signal,
    } as unknown as ObserveContext;

    const observed = await disableSecureBoot.observe(context, {});

    expect(outcome(diff(disableSecureBoot, observed))).toBe(expected);
  });

  it.each([
    ['off, also in the running boot', { enable: false, currentBoot: 'Disabled' }, 'satisfied'],
    ['on', { enable: true, currentBoot: 'Enabled' }, 'change'],
    ['off for the next boot only', { enable: false, currentBoot: 'Enabled' }, 'change'],
    ['on for the next boot', { enable: true, currentBoot: 'Disabled' }, 'change'],
    ['not reported', { enable: 'not-reported', currentBoot: 'not-reported' }, 'change'],
    ['half reported', { enable: false, currentBoot: 'not-reported' }, 'change'],
  ])('%s', (_title, observed, expected) => {
    expect(outcome(diff(disableSecureBoot, observed))).toBe(expected);
  });

  it('expects no reset when it only looks again after a flash, and may need as many', () => {
    const [first, again] = [disableSecureBoot, lookAtSecureBootAgain].map((step) =>
      step.worstReboots?.(dpu, slice, {}),
    );

    expect(again?.map(({ times }) => times)).toEqual(first?.map(({ times }) => times));
    expect(new Set(again?.map(({ certainty }) => certainty))).toEqual(new Set(['at-most']));
  });

  it('counts two resets, and three more at most when nothing is reported', () => {
    const on = diff(disableSecureBoot, { enable: true, currentBoot: 'Enabled' });
    const silent = diff(disableSecureBoot, { enable: 'not-reported', currentBoot: 'not-reported' });

    expect(on.kind === 'change' && on.reboots?.map((reboot) => [reboot.times, reboot.certainty])).toEqual([
      [2, 'planned'],
      [1, 'at-most'],
    ]);
    expect(silent.kind === 'change' && silent.reboots?.map(({ times }) => times)).toEqual([2, 1, 3]);
  });
});
