import { describe, expect, it } from 'vitest';
import type { BmcReader } from '../../../src/domain/device-ports.ts';
import {
  chooseSystem,
  parseHostPower,
  parseMembers,
  readBootId,
  readHostPower,
} from '../../../src/facts/host-power.ts';
import { jsonFixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

const { signal } = new AbortController();

/** A BMC with these resources; what it was asked for is in `asked`. */
function bmcOf(resources: Readonly<Record<string, unknown>>, asked: string[] = []): BmcReader {
  return {
    target: 'as7',
    get: ({ path }) => {
      asked.push(path);
      return Promise.resolve(resources[path]);
    },
  };
}

function systems(...ids: readonly string[]): unknown {
  return { Members: ids.map((id) => ({ '@odata.id': `/redfish/v1/Systems/${id}` })) };
}

describe('host-power', () => {
  const dell = jsonFixture('redfish/host-system.idrac9.txt');

  it('reads a Dell host, whose reset types stand in the action', async () => {
    const bmc = bmcOf({
      '/redfish/v1/Systems': systems('System.Embedded.1'),
      '/redfish/v1/Systems/System.Embedded.1': dell,
    });

    expect(await readHostPower(bmc, signal)).toEqual({
      id: 'System.Embedded.1',
      powerState: 'On',
      model: 'Dell Inc. PowerEdge R760',
      resetPath: '/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset',
      resetTypes: expect.arrayContaining(['On', 'ForceOff', 'GracefulShutdown']),
    });
  });

  it('reads the reset types of a Supermicro host from the ActionInfo it names', async () => {
    const asked: string[] = [];
    const bmc = bmcOf(
      {
        '/redfish/v1/Systems': systems('1'),
        '/redfish/v1/Systems/1': jsonFixture('redfish/host-system.supermicro.txt'),
        '/redfish/v1/Systems/1/ResetActionInfo': jsonFixture('redfish/host-reset-info.supermicro.txt'),
      },
      asked,
    );

    const power = await readHostPower(bmc, signal);

    expect(power.resetTypes).toEqual(['On', 'ForceOff', 'GracefulShutdown', 'ForceRestart', 'Nmi', 'ForceOn']);
    expect(asked.at(-1)).toBe('/redfish/v1/Systems/1/ResetActionInfo');
  });

  it('chooses the host beside a GPU baseboard and cards, and refuses to choose between two hosts', () => {
    const host = dell;
    const gpu = { ...(dell as object), SystemType: 'Physical' };
    const card = { ...(dell as object), SystemType: 'DPU' };

    expect(
      chooseSystem('as7', [
        ['HGX_Baseboard_0', gpu],
        ['DPU1', card],
        ['System_0', host],
      ]).id,
    ).toBe('System_0');
    expect(
      codeOf(() =>
        chooseSystem('as7', [
          ['1', host],
          ['2', host],
        ]),
      ),
    ).toBe('redfish-unexpected');
    expect(codeOf(() => chooseSystem('as7', [['DPU1', card]]))).toBe('redfish-unexpected');
  });

  it.each<readonly [string, unknown]>([
    ['nothing', {}],
    ['an empty list', systems()],
    ['a member outside', { Members: [{ '@odata.id': '/redfish/v1/Chassis/1' }] }],
    ['a path upwards', systems('..')],
    ['a longer path', systems('1/Oem')],
  ])('refuses a collection with %s', (_title, body) => {
    expect(codeOf(() => parseMembers('as7', body))).toBe('redfish-unexpected');
  });

  it.each<readonly [string, object]>([
    ['power state', { PowerState: null }],
    ['actions', { Actions: {} }],
    ['reset types', { Actions: { '#ComputerSystem.Reset': { target: '/redfish/v1/x' } } }],
    ['a target on the same BMC', { Actions: { '#ComputerSystem.Reset': { target: 'https://elsewhere/x' } } }],
  ])('refuses a system without %s', (_title, change) => {
    const body = { ...(dell as object), ...change };

    expect(codeOf(() => parseHostPower('as7', '1', body, undefined))).toBe('redfish-unexpected');
  });

  it('reads the boot id, and refuses what is none', async () => {
    const host = (stdout: string): Parameters<typeof readBootId>[0] => ({
      name: 'as7',
      read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 }),
    });

    expect(await readBootId(host('0a1b2c3d-0000-4000-8000-00000000000f\n'), signal)).toBe(
      '0a1b2c3d-0000-4000-8000-00000000000f',
    );
    await expect(readBootId(host(''), signal)).rejects.toMatchObject({ code: 'output-unreadable' });
  });
});
