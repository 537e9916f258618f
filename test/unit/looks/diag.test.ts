import { describe, expect, it } from 'vitest';
import type { BmcLogin } from '../../../src/domain/device-ports.ts';
import type { LookContext } from '../../../src/domain/look.ts';
import type { ObserveContext } from '../../../src/domain/step.ts';
import { recipeVersions } from '../../../jobs/payloads.ts';
import type { ProbeName } from '../../../src/domain/probes.ts';
import { probeNames } from '../../../src/domain/probes.ts';
import { consoleLook } from '../../../src/looks/console.ts';
import { diag } from '../../../src/looks/diag.ts';
import { probes } from '../../../src/looks/probes/index.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import type { Answers, LookWish, LookWorld } from './look-world.ts';
import { createLookWorld, oneCard, warningsOf } from './look-world.ts';

type Bodies = Readonly<Record<string, unknown>>;

function under(base: string, bodies: Bodies): Bodies {
  return Object.fromEntries(Object.entries(bodies).map(([id, body]) => [`${base}/${id}`, body]));
}

const sensors = jsonFixture('redfish/sensors.bf24.10.txt') as { collection: unknown; members: Bodies };
const inventory = jsonFixture('redfish/firmware-inventory.bf24.10.txt') as Bodies;
const logs = '/redfish/v1/Systems/Bluefield/LogServices';
/** The BMC of the capture, with a SEL that it does not have. */
const bmc: Bodies = {
  '/redfish/v1/Systems/Bluefield': {
    ...(jsonFixture('redfish/system.bf24.10.txt') as object),
    SerialNumber: 'MT2334XZ0ABC   ',
  },
  '/redfish/v1/Chassis/Card1/Sensors': sensors.collection,
  ...under('/redfish/v1/Chassis/Card1/Sensors', sensors.members),
  ...under('/redfish/v1/UpdateService/FirmwareInventory', inventory),
  [logs]: jsonFixture('redfish/log-services.bf24.10.txt'),
  [`${logs}/SEL/Entries`]: jsonFixture('redfish/sel-entries.txt'),
  '/redfish/v1/Systems/Bluefield/SecureBoot': jsonFixture('redfish/secure-boot.bf24.10.txt'),
};
const host: Answers = [
  oneCard,
  [/flint/, fixture('flint/staged.txt')],
  [/mlxconfig/, fixture('mlxconfig/dpu-mode-pending.txt')],
  [/for m in/, fixture('rshim/misc-level-2-after-flash.txt').replace(/^/, '=== rshim0\n')],
  [/journalctl/, fixture('rshim/journal.txt')],
  [/sys\/module/, '24.10-2.1.8\n'],
  [/modinfo/, '24.10-2.1.8\n'],
  [/mokutil/, 'SecureBoot disabled\n'],
];
const arm: Answers = [
  [/ip -json link/, fixture('ip/link-bluefield.txt')],
  [/ethtool -S p0/, fixture('ethtool/counters-ipsec.txt')],
  [/ethtool -S p1/, { exitCode: 1, stderr: 'no stats available' }],
  [/ethtool p0/, fixture('ethtool/p0-400g.txt')],
  [/ethtool p1/, fixture('ethtool/p1-no-link.txt')],
  [/readlink .*p0/, '../../../0000:03:00.0\n'],
  [/readlink .*p1/, '../../../0000:03:00.1\n'],
  [/mlxlink .*03:00.0/, fixture('mlxlink/up-with-colours.txt')],
  [/mlxlink .*03:00.1/, fixture('mlxlink/no-cable.txt')],
  [/hw-offload/, '"true"\n'],
  [/dump-flows/, fixture('ovs/flows-offloaded.txt')],
  [/devlink/, 'pci/0000:03:00.0: mode switchdev inline-mode none encap-mode basic\n'],
  [/xfrm state/, fixture('ip/xfrm-packet.txt')],
  [/sys\/module/, '24.10-2.1.8\n'],
  [/modinfo/, '24.10-2.1.8\n'],
  [/mokutil/, 'SecureBoot disabled\n'],
  [/meminfo/, fixture('proc/meminfo.txt')],
  [/^df /, fixture('df/file-systems.txt')],
  [/--failed/, fixture('systemctl/failed.txt')],
  [/is-system-running/, { stdout: 'degraded\n', exitCode: 1 }],
];

async function ask(probe: string, wish: Partial<LookWish> = {}): Promise<LookWorld & { readonly said: string }> {
  const world = createLookWorld({ host, arm, bmc, ...wish, options: { probe } });
  const said = await diag.run(world.context);
  return Object.assign(world, { said });
}

describe('every probe', () => {
  it('is there under each name that help lists, and versions agree with those of the bot', () => {
    expect(Object.keys(probes).toSorted()).toEqual([...probeNames].toSorted());
    expect([diag.version, consoleLook.version]).toEqual([recipeVersions.diag, recipeVersions.console]);
  });

  it.each([...probeNames])('%s says in one sentence what it means, and what was read goes along', async (probe) => {
    const { reported, said } = await ask(probe);

    expect(reported).toHaveLength(1);
    const [piece] = reported;
    expect(piece?.title).toBe(`${probe} of as7-dpu0`);
    expect(piece?.summary).toMatch(/^\S[^\n]*\.$/);
    expect(said).toBe(piece?.summary);
    if (probe !== 'bmc-log') expect(piece?.text?.length).toBeGreaterThan(20);
    expect(piece?.text ?? '').not.toMatch(/[^\P{Cc}\n\t]/u);
  });

  it.each([...probeNames])(
    '%s of a card that nobody can reach fails, and leaves why to the end of the run',
    async (probe) => {
      const world = createLookWorld({ options: { probe }, host: [[/./, { exitCode: 1, stderr: 'no route' }]] });

      await expect(diag.run(world.context)).rejects.toMatchObject({ failure: { kind: expect.any(String) as string } });

      for (const piece of world.reported) {
        expect(piece).toMatchObject({ inFile: true, warnings: ['The probe has no answer.'] });
        expect(piece.rows).toBeUndefined();
      }
    },
  );
});

describe('what a probe says of a card that is well', () => {
  it.each<readonly [ProbeName, string]>([
    ['versions', 'BMC BF-24.10-10, NIC firmware 32.43.1008, OS bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod.'],
    ['secure-boot', 'Secure Boot is off (running boot: Disabled), and stays off.'],
    ['temperatures', 'Hottest is ddr_temp at 75 °C, its limit is 95 °C.'],
    ['pcie', 'The link runs at 32 GT/s x16, about 504 Gb/s; its fastest port is 400 Gb/s.'],
    ['ipsec-sas', '2 of 2 IPsec associations are handled by the card as a whole.'],
    ['offload-flows', '2 of 4 flows are carried by the hardware.'],
    ['drivers', 'as7-dpu0 runs mlx5_core 24.10-2.1.8, its host mlx5_core 24.10-2.1.8.'],
    ['memory-disk', '21.2 GiB of 23.5 GiB memory are free, and 77.7 GiB on /.'],
  ])('%s: %s', async (probe, summary) => {
    const { reported } = await ask(probe);

    expect(reported[0]?.summary).toBe(summary);
    expect(warningsOf(reported[0])).toEqual([]);
  });
});

/** As older versions of ethtool say it. */
const noLink = fixture('ethtool/p1-no-link.txt').replace(' (No cable)', '');

/** One thing is wrong, and the warning names it. */
const wrongs: readonly (readonly [string, ProbeName, Partial<LookWish>, RegExp])[] = [
  ['staged firmware', 'firmware', {}, /not active yet/],
  ['a mode that waits', 'mode', {}, /cold boot/],
  ['NIC mode', 'mode', {}, /Arm does not run/],
  [
    'a slow slot',
    'pcie',
    { host: [[/lspci/, fixture('lspci/one-b3240.txt').replaceAll(/LnkSta:([^\n]*)32GT\/s/g, 'LnkSta:$18GT/s')]] },
    /slot, riser or BIOS.*|less than one port/,
  ],
  [
    'a port without a link that has a cable, or may have one',
    'links',
    { arm: [[/ethtool p1/, noLink], [/mlxlink .*03:00.1/, { exitCode: 127 }], ...arm] },
    /no cable, or the far end is off/,
  ],
  [
    'advice of mlxlink',
    'links',
    {
      arm: [
        [
          /mlxlink .*03:00.0/,
          fixture('mlxlink/up-with-colours.txt').replace('No issue was observed', 'Bad signal integrity'),
        ],
        ...arm,
      ],
    },
    /Bad signal integrity/,
  ],
  [
    'a card without any link',
    'links',
    { arm: [[/ethtool p\d/, fixture('ethtool/p1-no-link.txt')], [/mlxlink/, fixture('mlxlink/no-cable.txt')], ...arm] },
    /no link at any port/,
  ],
  [
    'a port that is slower than the card',
    'links',
    { arm: [[/ethtool p\d/, fixture('ethtool/p0-400g.txt').replace('400000Mb/s', '100000Mb/s')], ...arm] },
    /slower than the 400 Gb\/s/,
  ],
  [
    'mlxlink that is missing',
    'links',
    { arm: arm.filter(([words]) => !words.source.includes('mlxlink')) },
    /mft \(of DOCA\)/,
  ],
  ['another driver loaded than installed', 'drivers', { arm: [[/modinfo/, '24.07-1\n'], ...arm] }, /openibd restart/],
  ['a failed unit', 'services', {}, /journalctl -u mlnx_bf_configure/],
  [
    'too many huge pages',
    'memory-disk',
    {
      arm: [[/meminfo/, fixture('proc/meminfo.txt').replace(/HugePages_Total: .*/, 'HugePages_Total: 10000')], ...arm],
    },
    /does not boot/,
  ],
  [
    'a full disk',
    'memory-disk',
    { arm: [[/^df /, fixture('df/file-systems.txt').replace('24%', '97%')], ...arm] },
    /97 % full/,
  ],
  ['a missing 12 V cable in the log', 'bmc-log', {}, /12 V cable/],
  [
    'a missing 12 V cable in the sensors',
    'temperatures',
    {
      bmc: {
        ...bmc,
        '/redfish/v1/Chassis/Card1/Sensors/12V_ATX': { ...(sensors.members['12V_ATX'] as object), Reading: 0.4 },
      },
    },
    /below 10.4 V.*12 V cable/,
  ],
  [
    'a card that is too hot',
    'temperatures',
    {
      bmc: {
        ...bmc,
        '/redfish/v1/Chassis/Card1/Sensors/ddr_temp': { ...(sensors.members['ddr_temp'] as object), Reading: 106 },
      },
    },
    /over 105 °C, which is critical/,
  ],
  [
    'Secure Boot that is not reported',
    'secure-boot',
    { bmc: { ...bmc, '/redfish/v1/Systems/Bluefield/SecureBoot': { '@odata.id': 'x' } } },
    /restart of the Arm brings it back/,
  ],
  [
    'Secure Boot that is stored and not in force',
    'secure-boot',
    {
      bmc: {
        ...bmc,
        '/redfish/v1/Systems/Bluefield/SecureBoot': {
          '@odata.id': 'x',
          SecureBootEnable: false,
          SecureBootCurrentBoot: 'Enabled',
        },
      },
    },
    /two restarts of the Arm/,
  ],
  ['trouble in the journal of rshim', 'rshim-log', {}, /another backend already attached/],
  ['offload that is off', 'offload-flows', { arm: [[/hw-offload/, '\n'], ...arm] }, /forwards in software/],
  [
    'OVS that was not restarted',
    'offload-flows',
    { arm: [[/dump-flows/, fixture('ovs/flows-software.txt')], ...arm] },
    /not restarted/,
  ],
  [
    'a switch in legacy mode',
    'offload-flows',
    { arm: [[/devlink/, 'pci/0000:03:00.0: mode legacy\n'], ...arm] },
    /switchdev mode only/,
  ],
  [
    'IPsec that fell back to the Arm',
    'ipsec-sas',
    { arm: [[/xfrm/, fixture('ip/xfrm-fallback.txt')], ...arm] },
    /instead of falling back/,
  ],
  [
    'IPsec that strongSwan does itself',
    'ipsec-sas',
    {
      arm: [
        [/xfrm/, ''],
        [/list-conns/, fixture('swanctl/list-conns.txt')],
        [/list-sas/, fixture('swanctl/list-sas-installed.txt')],
        ...arm,
      ],
    },
    /strongSwan encrypts itself \(kernel-libipsec\)/,
  ],
  [
    'IPsec with a card without crypto',
    'ipsec-sas',
    { host: [[/lspci/, fixture('lspci/one-b3240.txt').replaceAll('00CN-AB0', '00SN-AB0')]] },
    /no crypto engines/,
  ],
  [
    'versions that the BMC was not told',
    'versions',
    {
      bmc: {
        ...bmc,
        ...under('/redfish/v1/UpdateService/FirmwareInventory', { DPU_NIC: { Version: '' }, DPU_OS: { Version: '' } }),
      },
    },
    /NIC mode/,
  ],
  [
    'an old BMC',
    'versions',
    {
      bmc: {
        ...bmc,
        ...under('/redfish/v1/UpdateService/FirmwareInventory', { BMC_Firmware: { Version: 'BF-23.10-5' } }),
      },
    },
    /Older than BF-24.10/,
  ],
];

describe('what a probe warns of', () => {
  it.each(wrongs)('%s (%s)', async (_name, probe, wish, warning) => {
    const { reported } = await ask(probe, wish);

    expect(warningsOf(reported[0]).join('\n')).toMatch(warning);
  });
});

describe('a port without a cable', () => {
  it.each<readonly [string, Answers]>([
    ['ethtool and mlxlink say so', []],
    ['only mlxlink says so', [[/ethtool p1/, noLink]]],
  ])('is unplugged, by name, and no fault, when %s', async (_who, answers) => {
    const { reported } = await ask('links', { arm: [...answers, ...arm] });

    expect(reported[0]?.summary).toBe('1 of 2 ports has a link; p1 is unplugged.');
    expect(reported[0]?.rows).toContainEqual({ label: 'p1', value: 'unplugged: no cable, so no carrier; MTU 1500' });
    expect(reported[0]?.rows).toContainEqual({ label: 'p1 by mlxlink', value: 'Cable is unplugged' });
    expect(warningsOf(reported[0])).toEqual([]);
  });
});

describe('an entry of the event log', () => {
  it('is called what the BMC calls it where it is serious', async () => {
    const { reported } = await ask('bmc-log');

    expect(reported[0]?.summary).toMatch(/; warnings or worse: \d+; newest /);
    expect(reported[0]?.rows?.map(({ warning }) => warning)).toContain('the BMC calls it warning');
  });
});

describe('a BMC that a probe cannot ask', () => {
  const asked = async (change: (context: ObserveContext) => ObserveContext): Promise<unknown> => {
    const world = createLookWorld({ options: { probe: 'versions' }, host, bmc });
    const of: LookContext['of'] = (card) => change(world.context.of(card));
    return diag.run({ ...world.context, of }).catch((error: unknown) => error);
  };
  const answering =
    (login: object) =>
    (context: ObserveContext): ObserveContext => ({
      ...context,
      bmc: { ...context.bmc, login: () => Promise.resolve(login as BmcLogin) },
    });

  it.each<readonly [string, object, RegExp]>([
    ['not pinned', { state: 'unpinned' }, /certificate is not pinned/],
    ['without a password on file', { state: 'refused', tried: [] }, /No current password/],
    ['with another password than the one on file', { state: 'refused', tried: ['current'] }, /refuses the password/],
  ])('is %s: no password was tried, and none is said to have been', async (_what, login, why) => {
    expect(await asked(answering(login))).toMatchObject({
      failure: { code: 'bmc-not-asked', why: expect.stringMatching(why) as string },
    });
  });

  it('belongs to another card: nothing of it is shown', async () => {
    const system = { ...(bmc['/redfish/v1/Systems/Bluefield'] as object), SerialNumber: 'MT9' };
    const world = createLookWorld({
      options: { probe: 'versions' },
      host,
      bmc: { ...bmc, '/redfish/v1/Systems/Bluefield': system },
    });

    await expect(diag.run(world.context)).rejects.toMatchObject({ failure: { code: 'wrong-card' } });

    expect(JSON.stringify(world.reported)).not.toContain('BF-24.10');
  });
});

describe('a BMC whose event log is empty', () => {
  it('is said in one line that says what it means, without what was sent over the wire', async () => {
    const empty = { Members: [] };
    const { reported } = await ask('bmc-log', { bmc: { ...bmc, [`${logs}/SEL/Entries`]: empty } });

    expect(reported[0]?.summary).toMatch(/^SEL\b.* of the BMC: no entries, so it has recorded no event since/);
    expect(reported[0]?.text).toBeUndefined();
  });
});

describe('the drivers of a machine', () => {
  const withoutMokutil = (answers: Answers): Answers => answers.filter(([words]) => !words.source.includes('mokutil'));
  const notLoaded: Answers = [[/sys\/module/, { exitCode: 1, stderr: 'cat: x: No such file or directory' }]];

  it('are told without mokutil where they are as they should be', async () => {
    const { reported } = await ask('drivers', { arm: withoutMokutil(arm), host: withoutMokutil(host) });

    expect(reported[0]?.rows).toEqual([
      { label: 'Arm', value: 'mlx5_core 24.10-2.1.8 loaded, 24.10-2.1.8 installed' },
      { label: 'Host', value: 'mlx5_core 24.10-2.1.8 loaded, 24.10-2.1.8 installed' },
    ]);
  });

  it.each<readonly [string, Answers, RegExp]>([
    ['Secure Boot is on', [[/mokutil/, 'SecureBoot enabled\n']], /Secure Boot is on, and refuses/],
    ['Secure Boot is off', [[/mokutil/, 'SecureBoot disabled\n']], /openibd restart/],
    ['mokutil is missing', [[/mokutil/, { exitCode: 127 }]], /not known: Arm of as7-dpu0 has no mokutil/],
  ])('are not loaded, and why is said as far as it is known: %s', async (_why, answers, warning) => {
    const { reported } = await ask('drivers', { arm: [...notLoaded, ...answers, ...arm] });

    const row = reported[0]?.rows?.find(({ label }) => label === 'Arm');
    expect(row?.value).toBe('no mlx5_core with a version loaded, 24.10-2.1.8 installed');
    expect(row?.warning).toMatch(warning);
  });

  it('are those of the kernel where nothing of DOCA is installed', async () => {
    const { reported } = await ask('drivers', { arm: [...notLoaded, [/modinfo/, '\n'], ...arm] });

    const row = reported[0]?.rows?.find(({ label }) => label === 'Arm');
    expect(row?.value).toBe("no mlx5_core with a version loaded, the kernel's own installed");
    expect(row?.warning).toContain('driver of DOCA is not installed');
  });
});

describe('a host without DOCA', () => {
  it.each<readonly [ProbeName, string]>([
    ['firmware', 'flint'],
    ['mode', 'mlxconfig'],
  ])('has no answer to %s, and what lacks is named with its package', async (probe, tool) => {
    const missing = { exitCode: 1, stderr: `sudo: ${tool}: command not found` };
    const world = createLookWorld({ options: { probe }, host: [oneCard, [new RegExp(tool), missing]] });

    await expect(diag.run(world.context)).rejects.toMatchObject({
      failure: { code: 'host-tool-missing', next: expect.stringContaining('mft (of DOCA)') as string },
    });

    expect(world.reported[0]?.summary).toBe(`as7 has no ${tool}.`);
  });
});

describe('the boot log of a driver that hides it', () => {
  it('cannot be read now, and that a look changes nothing about it is said', async () => {
    const quiet = fixture('rshim/misc-level-0.txt').replace(/^/, '=== rshim0\n');
    const { reported } = await ask('rshim-log', { host: [[/for m in/, quiet], ...host] });

    expect(reported[0]?.summary).toBe(
      'The boot log cannot be read now: the rshim driver shows it at DISPLAY_LEVEL 2 and stands at 0. Who only looks does not raise it; a flash over rshim does.',
    );
  });
});

describe('probing several cards', () => {
  const dpus = [
    { name: 'as7-dpu0', bmc: { address: '10.0.0.2' }, pciAddress: '0000:e1:00.0' },
    { name: 'as7-dpu1', bmc: { address: '10.0.0.3' }, pciAddress: '0000:21:00.0' },
  ];

  it('asks each, also when one cannot be asked, and says how many', async () => {
    const { reported, said } = await ask('pcie', { dpus });

    expect(reported.map((piece) => piece.target)).toEqual(['as7-dpu0', 'as7-dpu1']);
    expect(reported[1]?.summary).toContain('was not found');
    expect(reported[1]?.rows?.map((row) => row.label)).toEqual(['Why', 'Next']);
    expect(said).toContain('Cards that could not be asked: 1.');
  });

  it('stops when it is cancelled', async () => {
    const world = createLookWorld({ options: { probe: 'pcie' }, dpus, host });
    world.cancel.abort(new Error('cancelled'));
    const broken = createLookWorld({ options: { probe: 'versions' }, dpus });
    broken.cancel.abort(new Error('cancelled'));

    await expect(diag.run(broken.context)).rejects.toMatchObject({ code: 'bmc-unreachable' });

    expect(broken.reported).toEqual([]);
  });
});

describe('the raw text of a probe', () => {
  it('has what was asked and what came', async () => {
    const { reported } = await ask('memory-disk');

    expect(reported[0]?.text).toContain('Arm of as7-dpu0 $ cat /proc/meminfo\nMemTotal:');
  });

  it('never has a key of an IPsec association, and asks for none', async () => {
    const { reported, commands } = await ask('ipsec-sas', {
      arm: [[/xfrm/, fixture('ip/xfrm-with-keys.txt')], ...arm],
    });

    expect(commands.find((line) => line.includes('xfrm'))).toContain('nokeys');
    expect(JSON.stringify(reported)).not.toContain('5e5e5e');
  });

  it('of IPsec has what strongSwan says, where there is one', async () => {
    const rowsOf = async (answers: Answers): Promise<Readonly<Record<string, string>>> => {
      const { reported } = await ask('ipsec-sas', { arm: [...answers, ...arm] });
      return Object.fromEntries((reported[0]?.rows ?? []).map(({ label, value }) => [label, value]));
    };

    const rekeyed = await rowsOf([
      [/list-conns/, fixture('swanctl/list-conns.txt')],
      [/list-sas/, fixture('swanctl/list-sas-after-rekey.txt')],
    ]);
    expect(rekeyed['By strongSwan']).toBe('1 pair INSTALLED, of 1 connection');
    const stopped = await rowsOf([[/swanctl/, { exitCode: 111, stderr: fixture('swanctl/no-daemon.txt') }]]);
    expect(stopped['By strongSwan']).toBe('it does not run');
    const missing = await rowsOf([[/swanctl/, { exitCode: 1, stderr: 'sudo: swanctl: command not found\n' }]]);
    expect(missing).not.toHaveProperty('By strongSwan');
  });

  it('is bounded, and has no control characters', async () => {
    const text = `${fixture('ovs/flows-software.txt').split('\n')[1] ?? ''}\n`.repeat(1_000);
    const { reported } = await ask('offload-flows', {
      arm: [[/dump-flows/, `${text}\u001b[2J`.replace('\u001b[2J', '')], ...arm],
    });

    expect(reported[0]?.text?.length).toBeLessThan(100_000);
    expect(reported[0]?.text).toContain('[...]');
  });

  it('is the boot log alone, read by nobody else meanwhile, where that was asked for', async () => {
    const { reported, alone } = await ask('rshim-log');

    expect(alone).toEqual(['console as7-dpu0']);
    expect(reported[0]?.text).toMatch(/^INFO\[/);
    expect(reported[0]?.text).toContain('--- journal of rshim');
  });
});
