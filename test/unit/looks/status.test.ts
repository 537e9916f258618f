import { describe, expect, it } from 'vitest';
import { recipeVersions } from '../../../jobs/payloads.ts';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import { Profile } from '../../../src/domain/inventory.ts';
import type { LookContext } from '../../../src/domain/look.ts';
import { status, summaryOf } from '../../../src/looks/status.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import type { Answers, LookWish, LookWorld } from './look-world.ts';
import { createLookWorld, oneCard } from './look-world.ts';

const host: Answers = [
  oneCard,
  [/flint/, fixture('flint/staged.txt')],
  [/for m in/, fixture('rshim/misc-level-0.txt').replace(/^/, '=== rshim0\n')],
];
const marker = { image: 'bf-2.9.2-patched', sha256: 'a'.repeat(64), runId: 7, serial: 'MT2334XZ0ABC' };
const arm: Answers = [
  [/dpubot-image/, JSON.stringify(marker)],
  [/mlnx-release/, 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod\n'],
  [/ipmitool/, fixture('ipmitool/lan-print-dhcp.txt')],
];
const ownSystem = { ...(jsonFixture('redfish/system.bf24.10.txt') as object), SerialNumber: 'MT2334XZ0ABC   ' };
const bmc = {
  '/redfish/v1/Systems/Bluefield': ownSystem,
  '/redfish/v1/Systems/Bluefield/Oem/Nvidia': jsonFixture('redfish/oem-nvidia.bf24.10.txt'),
  '/redfish/v1/UpdateService/FirmwareInventory/DPU_OS': { Version: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod' },
};
const auto = [{ name: 'as7-dpu0', bmc: { address: 'auto' } }];
const deadHost: Answers = [[/./, { exitCode: 1, stderr: 'no route' }]];

interface Seen {
  readonly world: LookWorld;
  readonly context: LookContext;
  readonly merged: Map<string, CardFacts>;
}

function open(wish: LookWish): Seen {
  const world = createLookWorld(wish);
  const merged = new Map<string, CardFacts>();
  const facts = {
    get: () => Promise.resolve(undefined),
    merge: (dpu: string, news: CardFacts) => Promise.resolve(void merged.set(dpu, news)),
  };
  return { world, merged, context: { ...world.context, facts } };
}

async function factsOf(wish: LookWish): Promise<CardFacts> {
  const { context, merged } = open(wish);
  await status.run(context);
  const facts = merged.get('as7-dpu0');
  if (facts === undefined) throw new Error('nothing was remembered');
  return facts;
}

describe('what status sees of a card', () => {
  it('comes from the source that knows it best, and names it', async () => {
    const { facts } = await factsOf({ host, arm, bmc });

    expect(facts).toMatchObject({
      'part-number': { value: '900-9D3B6-00CN-AB0 (B3240)', from: 'host' },
      serial: { value: 'MT2334XZ0ABC', from: 'host' },
      mode: { value: 'DPU mode', from: 'bmc' },
      image: { value: 'bf-2.9.2-patched (bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod)', from: 'arm' },
      'nic-firmware-running': { value: '32.39.2048', from: 'host' },
      'nic-firmware-staged': { value: '32.43.1014', warning: expect.stringContaining('cold power cycle') as string },
      'bmc-address': { value: '10.0.0.2', from: 'record' },
      'arm-state': { value: 'OsIsRunning, power On', from: 'bmc' },
    });
    expect(facts['pcie-link']).toEqual({ value: '32 GT/s x16', from: 'host', atMs: 1_000_000 });
  });

  it('says by its link what limits it', async () => {
    const slow = oneCard[1].replaceAll('LnkSta:\tSpeed 32GT/s', 'LnkSta:\tSpeed 16GT/s');
    const { facts } = await factsOf({ host: [[/lspci/, slow], ...host], arm, bmc });

    expect(facts['pcie-link']).toMatchObject({
      value: '16 GT/s x16',
      warning: 'Wanted is 32 GT/s x16; the card itself could do more, so slot, riser or BIOS limits it.',
    });
  });

  it('takes nothing from a BMC that belongs to another card', async () => {
    const other = { ...bmc, '/redfish/v1/Systems/Bluefield': { ...ownSystem, SerialNumber: 'MT9' } };
    const { facts, unread } = await factsOf({ host, arm, bmc: other });

    expect(facts.mode).toBeUndefined();
    expect(unread.mode?.reason).toContain('belongs to the card MT9, not to MT2334XZ0ABC');
  });

  it('finds the address of the BMC over the Arm where the inventory has none', async () => {
    const { facts } = await factsOf({ host, arm, dpus: auto });

    expect(facts['bmc-address']).toMatchObject({
      value: expect.stringContaining('over the Arm') as string,
      from: 'arm',
    });
  });

  it.each<readonly [string, LookWish, string]>([
    [
      'the Arm has no IPMI driver',
      { arm: [[/ipmitool/, { exitCode: 1, stderr: 'Could not open device at /dev/ipmi0: No such file' }], ...arm] },
      'ipmi_devintf',
    ],
    ['nobody can log in to the Arm', {}, 'No SSH host key'],
  ])('has no address of the BMC, and says that %s', async (_why, wish, reason) => {
    const { facts, unread } = await factsOf({ host, dpus: auto, ...wish });

    expect(facts['bmc-address']).toBeUndefined();
    expect(unread['bmc-address']?.reason).toContain(reason);
  });

  it('has no address of the BMC where the profile has no login on the Arm', async () => {
    const { context, merged } = open({ host, dpus: auto });
    const of: LookContext['of'] = (card) => ({ ...context.of(card), profile: Profile.parse({}) });

    await status.run({ ...context, of });

    expect(merged.get('as7-dpu0')?.unread['bmc-address']?.reason).toContain('no login on the Arm');
  });
});

describe('the owner of the rshim', () => {
  const settings = {
    '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia': { BmcRShim: { BmcRShimEnabled: false } },
    '/redfish/v1/Systems/Bluefield/Oem/Nvidia': {
      ...(jsonFixture('redfish/oem-nvidia.bf24.10.txt') as object),
      HostRshim: 'Enabled',
    },
  };
  const ownerOf = async (answers: Answers): Promise<CardFacts['facts']['rshim-owner']> =>
    (await factsOf({ host: [...answers, ...host], bmc: { ...bmc, ...settings } })).facts['rshim-owner'];

  it('is nobody where the host was asked and has no device either', async () => {
    expect(await ownerOf([[/for m in/, '']])).toMatchObject({ value: expect.stringContaining('nobody') as string });
  });

  it.each<readonly [string, Answers]>([
    ['does not answer', [[/for m in/, '=== rshim0 silent\ncat: /dev/rshim0/misc: Device or resource busy\n']]],
    ['cannot be asked', [[/./, { exitCode: 1, stderr: 'no route' }]]],
  ])('is not known where the rshim of the host %s: the BMC only knows that it is not it', async (_why, answers) => {
    const owner = await ownerOf(answers);

    expect(owner?.value).toMatch(/^not the BMC/);
    expect(owner?.warning).toMatch(/as7/);
  });
});

describe('a look that is stopped half-way', () => {
  it('tells what it has seen until then, and asks no further card', async () => {
    const dpus = Array.from({ length: 6 }, (_, index) => ({
      name: `as7-dpu${index}`,
      serial: 'MT2334XZ0ABC',
      bmc: { address: '10.0.0.2' },
    }));
    const stopped = new Error('run 418 was cancelled');
    let world: LookWorld | undefined;
    const stop = (): string => {
      world?.cancel.abort(stopped);
      return fixture('flint/staged.txt');
    };
    const seen = open({ host: [[/flint/, stop], ...host], dpus });
    world = seen.world;

    await expect(status.run(seen.context)).rejects.toBe(stopped);

    expect(seen.world.reported.length).toBeLessThanOrEqual(4);
    const facts = seen.merged.get('as7-dpu0');
    expect(facts?.facts.serial?.value).toBe('MT2334XZ0ABC');
    expect(facts?.unread.mode?.reason).toBe('It had not answered when the look ended.');
  });
});

describe('a card in NIC mode', () => {
  it('has no image to read, and that is the reason, not a network that is to be looked at', async () => {
    const nic = { ...(jsonFixture('redfish/oem-nvidia.bf24.10.txt') as object), Mode: 'NicMode' };
    const { facts, unread } = await factsOf({
      host,
      bmc: {
        ...bmc,
        '/redfish/v1/Systems/Bluefield/Oem/Nvidia': nic,
        '/redfish/v1/UpdateService/FirmwareInventory/DPU_OS': { Version: '' },
      },
    });

    expect(facts.mode?.value).toBe('NIC mode');
    expect(unread.image?.reason).toBe('In NIC mode the Arm runs no system.');
  });
});

describe('the message of status', () => {
  const rowsOf = ({ world }: Seen): readonly (readonly [string, string])[] =>
    (world.reported[0]?.rows ?? []).map(({ label, value }) => [label, value]);

  it('says what was not read in one row for each reason, with the way on', async () => {
    const seen = open({ host, arm });

    await status.run(seen.context);

    const gaps = rowsOf(seen).filter(([label]) => label === 'not read');
    expect(gaps).toEqual([['not read', 'mode, Secure Boot, BMC firmware, Arm']]);
    expect(seen.world.reported[0]?.summary).toContain('; 4 values not read.');
  });

  it.each([
    [undefined, 'nobody'],
    [418, 'run 418'],
  ])('says who has the host in hands: %s', async (run, holder) => {
    const seen = open({ host, arm, bmc });

    await status.run({ ...seen.context, heldBy: () => Promise.resolve(run) });

    expect(rowsOf(seen)).toContainEqual(['held by', holder]);
  });

  it('names the tool that lacks on a host without DOCA, and what brings it', async () => {
    const missing = { exitCode: 1, stderr: 'sudo: flint: command not found' };
    const { unread } = await factsOf({ host: [[/flint/, missing], ...host] });

    expect(unread['nic-firmware-staged']?.reason).toMatch(/^as7 has no flint\..*mft \(of DOCA\)/);
  });
});

describe('the end of status', () => {
  it('agrees with the bot on its version', () => {
    expect(status.version).toBe(recipeVersions.status);
  });

  it('is an error when neither host nor BMC nor Arm says anything, after that was reported and remembered', async () => {
    const { context, merged, world } = open({ host: deadHost });

    await expect(status.run(context)).rejects.toMatchObject({ failure: { code: 'command-failed' } });

    expect(world.reported).toHaveLength(1);
    expect(merged.get('as7-dpu0')?.unread.mode).toBeDefined();
  });

  it('counts cards that were not seen in full, each with a message of its own', async () => {
    const dpus = Array.from({ length: 6 }, (_, index) => ({
      name: `as7-dpu${index}`,
      serial: 'MT2334XZ0ABC',
      bmc: { address: '10.0.0.2' },
    }));
    const { context, world } = open({ host, arm, bmc, dpus });

    const said = await status.run(context);

    expect(said).toBe('6 cards looked at, 6 of them not in full.');
    expect(world.reported.map(({ target }) => target).toSorted()).toEqual(dpus.map(({ name }) => name));
  });

  it('asks at most four cards at the same time', async () => {
    const dpus = Array.from({ length: 9 }, (_, index) => ({ name: `as7-dpu${index}`, bmc: { address: '10.0.0.2' } }));
    const { context } = open({ host, arm, bmc, dpus });
    let atOnce = 0;
    let most = 0;
    const report: LookContext['report'] = () => {
      atOnce -= 1;
      return Promise.resolve();
    };
    const started = new Set<string>();
    const of: LookContext['of'] = (card) => {
      if (!started.has(card.dpu.name)) atOnce += 1;
      started.add(card.dpu.name);
      most = Math.max(most, atOnce);
      return context.of(card);
    };

    await status.run({ ...context, of, report });

    expect([started.size, most]).toEqual([9, 4]);
  });

  it('says in one sentence what the card is, how many warnings there are and what is missing', () => {
    const atMs = 1;
    const facts = { mode: { value: 'NIC mode', from: 'bmc', atMs, warning: 'Its Arm is off.' } } as const;

    expect(summaryOf({ facts, unread: { image: { reason: 'no answer', atMs } } })).toMatch(
      /^NIC mode; 1 warning; not read: image\.$/,
    );
  });
});
