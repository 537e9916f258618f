import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BmcReader, HostReader } from '../../../src/domain/device-ports.ts';
import { errors, OpsError } from '../../../src/errors.ts';
import { parseFailedUnits, parseFileSystems, parseMemory, parseSystemState } from '../../../src/facts/arm-resources.ts';
import { isAtxPowerWarning, parseLogEntries, readBmcLog } from '../../../src/facts/bmc-log.ts';
import { parseSensor, readCardSensors } from '../../../src/facts/card-sensors.ts';
import { isBmcBefore2410, readFirmwareVersions } from '../../../src/facts/firmware-inventory.ts';
import { readForeignFlashLog, readOwnFlashLog, shownLines } from '../../../src/facts/flash-log.ts';
import { parseXfrmState, withoutKeys } from '../../../src/facts/ipsec-sas.ts';
import { parseEswitch } from '../../../src/facts/eswitch.ts';
import { parseFlows, parseHwOffload } from '../../../src/facts/ovs-flows.ts';
import { parseEthtool, parseMlxlink, parsePortDevice, parsePorts } from '../../../src/facts/port-links.ts';
import { readTool } from '../../../src/facts/probe-tool.ts';
import { systemState } from '../../../src/facts/arm-resources.ts';
import { troubleIn } from '../../../src/facts/rshim-journal.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

const { signal } = new AbortController();

function hostOf(stdout: string, exitCode = 0, stderr = ''): HostReader {
  return {
    name: 'as7',
    read: () => Promise.resolve({ stdout, stderr, exitCode, truncated: false, durationMs: 1 }),
  };
}

/** A BMC that has these resources, and 404 for the rest. */
function bmcOf(resources: Readonly<Record<string, unknown>>): BmcReader {
  return {
    target: 'as7-dpu0',
    get: ({ path }) => {
      const body = resources[path];
      if (body !== undefined) return Promise.resolve(body);
      const refusal = { target: 'as7-dpu0', request: `GET ${path}`, status: 404, message: 'not found' };
      return Promise.reject(errors.redfishError(refusal));
    },
  };
}

describe('ports of a card', () => {
  it('are picked out of all links, with state and MTU', () => {
    expect(parsePorts('a', fixture('ip/link-bluefield.txt'))).toEqual([
      { name: 'p0', state: 'UP', mtuBytes: expect.any(Number) as number },
      { name: 'p1', state: expect.any(String) as string, mtuBytes: expect.any(Number) as number },
    ]);
  });

  it('have a speed while there is a link, and none otherwise', () => {
    expect(parseEthtool('a', fixture('ethtool/p0-400g.txt'))).toMatchObject({ speedMbps: 400_000, detected: true });
    expect(parseEthtool('a', fixture('ethtool/p1-no-link.txt'))).toMatchObject({
      speedMbps: undefined,
      detected: false,
    });
  });

  it.each([
    ['no (No cable)', true],
    ['no (Autoneg, No partner detected)', false],
    ['no', false],
    ['yes', false],
  ])('are unplugged by ethtool only where it says so: %s', (detected, hasNoCable) => {
    const text = `Settings for p1:\n\tSpeed: Unknown!\n\tLink detected: ${detected}\n`;

    expect(parseEthtool('a', text).hasNoCable).toBe(hasNoCable);
  });

  it('are read from mlxlink with and without colours', () => {
    expect(parseMlxlink('a', fixture('mlxlink/up-with-colours.txt'))).toEqual({
      state: 'Active',
      physicalState: 'LinkUp',
      speed: '400G',
      fec: 'Interleaved_Standard_RS-FEC - (544,514)',
      advice: 'No issue was observed',
      module: 'QSFP112, Passive copper cable, MCP4Y10-N001',
      isUnplugged: false,
    });
  });

  it('without a cable have neither speed nor FEC in mlxlink, and its advice says why', () => {
    expect(parseMlxlink('a', fixture('mlxlink/no-cable.txt'))).toMatchObject({
      state: 'Polling',
      speed: undefined,
      fec: undefined,
      advice: 'Cable is unplugged',
      module: undefined,
      isUnplugged: true,
    });
  });

  it('stand on the PCI bus of the Arm', () => {
    expect(parsePortDevice('a', '../../../0000:03:00.0\n')).toBe('0000:03:00.0');
  });

  it.each([
    ['links', () => parsePorts('a', '{}')],
    ['cut links', () => parsePorts('a', fixture('ip/link-bluefield.txt').slice(0, 300))],
    ['ethtool', () => parseEthtool('a', 'Settings for p0:\n\tSpeed: fast\n\tLink detected: yes\n')],
    ['ethtool without a link line', () => parseEthtool('a', 'Settings for p0:\n\tSpeed: 400000Mb/s\n')],
    ['mlxlink', () => parseMlxlink('a', '-E- Failed to open device')],
    ['readlink', () => parsePortDevice('a', '../virtual')],
  ])('are never guessed: %s that cannot be read are an error', (_name, parse) => {
    expect(codeOf(parse)).toBe('output-unreadable');
  });
});

describe('flows of Open vSwitch', () => {
  it('are counted by who carries them', () => {
    expect(parseFlows('a', fixture('ovs/flows-offloaded.txt'))).toEqual({
      offloaded: 2,
      partial: 1,
      software: 1,
      packetsOffloaded: 196_523,
      packetsSoftware: 15,
    });
    expect(parseFlows('a', fixture('ovs/flows-software.txt'))).toMatchObject({ offloaded: 0, software: 2 });
    expect(parseFlows('a', '')).toMatchObject({ offloaded: 0, partial: 0, software: 0 });
  });

  it('add up to the number of lines, whatever is left out of the dump', () => {
    const lines = fixture('ovs/flows-offloaded.txt').trimEnd().split('\n');
    fc.assert(
      fc.property(fc.subarray(lines), (some) => {
        const { offloaded, partial, software } = parseFlows('a', some.join('\n'));
        expect(offloaded + partial + software).toBe(some.length);
      }),
    );
  });

  it('that are cut off count only where the dump is known to be incomplete', () => {
    const cut = fixture('ovs/flows-offloaded.txt').slice(0, 700);
    expect(codeOf(() => parseFlows('a', cut))).toBe('output-unreadable');
    expect(parseFlows('a', cut, true)).toMatchObject({ offloaded: 1, software: 0 });
  });

  it.each([
    ['"true"\n', 'true'],
    ['"false"\n', 'false'],
    ['\n', 'unset'],
    ['', 'unset'],
    ['"TRUE"\n', 'true'],
  ])('the setting %j is %s', (text, setting) => {
    expect(parseHwOffload('a', text)).toBe(setting);
  });

  it('refuses other words for the setting and the switch', () => {
    expect(codeOf(() => parseHwOffload('a', 'yes please'))).toBe('output-unreadable');
    expect(codeOf(() => parseEswitch('a', 'kernel answers: Operation not supported'))).toBe('output-unreadable');
    expect(parseEswitch('a', 'pci/0000:03:00.0: mode switchdev inline-mode none encap-mode basic\n')).toBe('switchdev');
  });
});

describe('IPsec associations', () => {
  it('tell how far the card handles them', () => {
    expect(parseXfrmState('a', fixture('ip/xfrm-packet.txt')).map((sa) => sa.offload)).toEqual(['packet', 'packet']);
    expect(parseXfrmState('a', fixture('ip/xfrm-fallback.txt')).map((sa) => sa.offload)).toEqual([
      'crypto',
      'none',
      'unnamed',
    ]);
    expect(parseXfrmState('a', '')).toEqual([]);
    expect(parseXfrmState('a', fixture('ip/xfrm-packet.txt'))[0]).toEqual({
      from: '192.168.50.1',
      to: '192.168.50.2',
      spi: '0xc88b7652',
      mode: 'transport',
      device: 'p0',
      offload: 'packet',
    });
  });

  it('never show a key, not even where ip(8) prints it', () => {
    const text = fixture('ip/xfrm-with-keys.txt');
    expect(withoutKeys(text)).not.toContain('5e5e5e');
    expect(withoutKeys(text)).toContain('spi 0xc88b7652');
    const broken = text.replace('proto esp', 'proto ?');
    try {
      parseXfrmState('a', broken);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error instanceof OpsError ? error.failure : '')).not.toContain('5e5e5e');
    }
  });
});

const services = '/redfish/v1/Systems/Bluefield/LogServices';

describe('event log of a BMC', () => {
  const sel = jsonFixture('redfish/sel-entries.txt');

  it('is read newest first, and what is named and not there is said', async () => {
    const bmc = bmcOf({
      [services]: jsonFixture('redfish/log-services.bf24.10.txt'),
      [`${services}/SEL/Entries`]: sel,
    });
    const log = await readBmcLog(bmc, signal);
    expect(log.entries.map((entry) => entry.created.slice(0, 10))).toEqual(['2026-09-03', '2026-09-02', '2026-09-01']);
    expect(log.read).toEqual(['SEL']);
    expect(log.unread).toEqual([{ log: 'EventLog', why: expect.stringContaining('404') as string }]);
  });

  it('shows a missing 12 V cable', () => {
    const warnings = parseLogEntries('d', 'SEL', sel).filter(isAtxPowerWarning);
    expect(warnings.map((entry) => entry.messageId)).toEqual(['OpenBMC.0.1.SensorThresholdWarningLowGoingLow']);
  });

  it('is refused in another form', () => {
    expect(codeOf(() => parseLogEntries('d', 'SEL', { Members: 3 }))).toBe('redfish-unexpected');
  });
});

describe('sensors of a card', () => {
  const capture = jsonFixture('redfish/sensors.bf24.10.txt') as {
    collection: unknown;
    members: Readonly<Record<string, unknown>>;
  };
  const base = '/redfish/v1/Chassis/Card1/Sensors';
  const resources = Object.fromEntries(Object.entries(capture.members).map(([id, body]) => [`${base}/${id}`, body]));

  it('are temperatures and 12 V supplies, as the capture of a B3220 has them', async () => {
    const sensors = await readCardSensors(bmcOf({ [base]: capture.collection, ...resources }), signal);
    expect(Object.fromEntries(sensors.map(({ id, reading }) => [id, reading]))).toEqual({
      bluefield_temp: 59,
      ddr_temp: 75,
      p0_temp: undefined,
      p1_temp: undefined,
      '12V_ATX': 12.16,
      '12V_PCIe': expect.any(Number) as number,
    });
    expect(sensors[0]).toMatchObject({ unit: '°C', upperCaution: 95, upperCritical: 105 });
  });

  it('are refused without a reading', () => {
    expect(codeOf(() => parseSensor('d', 'x', { ReadingUnits: 'Cel' }))).toBe('redfish-unexpected');
  });
});

describe('versions at the BMC', () => {
  const items = jsonFixture('redfish/firmware-inventory.bf24.10.txt') as Readonly<Record<string, unknown>>;
  const resources = Object.fromEntries(
    Object.entries(items).map(([id, body]) => [`/redfish/v1/UpdateService/FirmwareInventory/${id}`, body]),
  );

  it('are those of the capture of a B3220', async () => {
    const versions = await readFirmwareVersions(bmcOf(resources), signal);
    expect(versions.get('BMC_Firmware')).toEqual({ kind: 'version', text: 'BF-24.10-10' });
    expect(versions.get('DPU_NIC')).toEqual({ kind: 'version', text: '32.43.1008' });
    expect(versions.get('DPU_OS')).toEqual({ kind: 'version', text: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod' });
  });

  it('that this firmware does not list are said to be so, and another refusal is an error', async () => {
    const versions = await readFirmwareVersions(bmcOf({}), signal);
    expect([...versions.values()].every(({ kind }) => kind === 'not-listed')).toBe(true);
    const refusal = { target: 'd', request: 'GET x', status: 500, message: 'inside' };
    const broken: BmcReader = { target: 'd', get: () => Promise.reject(errors.redfishError(refusal)) };
    await expect(readFirmwareVersions(broken, signal)).rejects.toMatchObject({ code: 'redfish-error' });
  });

  it.each([
    ['BF-24.10-10', false],
    ['BF-24.07-14', true],
    ['BF-23.10-5', true],
    ['BF-25.10-2', false],
    ['2.9.0', undefined],
  ])('%s is older than BF-24.10: %s', (version, isOlder) => {
    expect(isBmcBefore2410(version)).toBe(isOlder);
  });
});

describe('memory, disks and services', () => {
  it('are read as captured from Linux', () => {
    expect(parseMemory('a', fixture('proc/meminfo.txt'))).toMatchObject({ totalKib: 24_684_084, hugePageKib: 2_048 });
    expect(parseFileSystems('a', fixture('df/file-systems.txt'))).toMatchObject([{ mountPoint: '/', usedPercent: 24 }]);
  });

  it('know a mount point with a blank and a file system without a percentage', () => {
    const text = `Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 10 5 5 50% /mnt/a b\nnone 0 0 0 - /proc/x\n`;
    expect(parseFileSystems('a', text).map(({ mountPoint }) => mountPoint)).toEqual(['/mnt/a b', '/proc/x']);
  });

  it('name failed units, with and without a mark', () => {
    expect(parseFailedUnits('a', fixture('systemctl/failed.txt'))).toEqual([
      'mlnx_bf_configure.service',
      'snap.lxd.activate.service',
    ]);
    expect(parseFailedUnits('a', fixture('systemctl/failed-with-marks.txt'))).toEqual(['openibd.service']);
    expect(parseFailedUnits('a', '')).toEqual([]);
  });

  it.each([
    ['meminfo', () => parseMemory('a', 'MemTotal: 12 kB\n')],
    ['df', () => parseFileSystems('a', 'Dateisystem 1K-Blöcke\n')],
    ['a line of df', () => parseFileSystems('a', 'Filesystem 1024-blocks Used Available Capacity Mounted on\nx\n')],
    ['failed units', () => parseFailedUnits('a', 'Failed to connect to bus: Host is down\n')],
    ['the state', () => parseSystemState('a', 'System has not been booted with systemd\n')],
  ])('refuse what they do not know: %s', (_name, parse) => {
    expect(codeOf(parse)).toBe('output-unreadable');
  });
});

describe('log of a flash', () => {
  it('shows what a terminal would: of a progress line its last state, without colours', () => {
    const text = 'Pushing bfb\n 1MiB 0:01\r 2MiB 0:02\r1.41GiB 0:02:02\r\n\u001b[32m INFO[MISC]: Linux up\u001b[0m\n\n';
    expect(shownLines(text)).toEqual(['Pushing bfb', '1.41GiB 0:02:02', ' INFO[MISC]: Linux up']);
  });

  it('never has a control character in a line, whatever was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shownLines(text).filter((line) => line === '' || /\p{Cc}/u.test(line))).toEqual([]);
      }),
    );
  });

  it('is the one of the job, and nothing where there is none', async () => {
    const path = '/var/lib/dpubot/jobs/run418-install-bfb-MT1-1/log';
    expect(await readOwnFlashLog(hostOf(`=== ${path}\nPushing bfb\n`), 'MT1', signal)).toEqual({
      path,
      text: 'Pushing bfb\n',
    });
    expect(await readOwnFlashLog(hostOf('absent\n'), 'MT1', signal)).toBeUndefined();
    expect(await readForeignFlashLog(hostOf('', 1, 'tail: cannot open'), 'rshim0', signal)).toBeUndefined();
  });

  it('finds the lines of a boot log that mean trouble', () => {
    const log = ['INFO[UEFI]: eMMC init', 'ERR[MISC]: Failed', 'PANIC(BL31): PC = 0x1', 'Exception(EL3): x'];
    expect(troubleIn(log)).toEqual(log.slice(1));
  });
});

describe('the tool of a probe', () => {
  const tool = { name: 'mlxlink', need: 'to read FEC and cable of a port', package: 'mft (of DOCA)' };

  it.each([
    [127, 'sh: 1: mlxlink: not found'],
    [1, 'sudo: mlxlink: command not found'],
  ])('that is missing is named with its package (exit code %i)', async (exitCode, stderr) => {
    const reading = readTool(hostOf('', exitCode, stderr), systemState.bind({}), tool, signal);
    await expect(reading).rejects.toMatchObject({
      code: 'host-tool-missing',
      failure: { next: 'Install the package "mft (of DOCA)" on as7, then ask again.' },
    });
  });

  it('that fails has a result', async () => {
    const result = await readTool(hostOf('', 1, '-E- Failed'), systemState.bind({}), tool, signal);
    expect(result.exitCode).toBe(1);
  });
});
