import { describe, expect, it } from 'vitest';
import { changeCard, factoryCard, plainHost, rack1, variations } from '../../../src/lab/rack/layouts.ts';
import { skus } from '../../../src/lab/rack/layout.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { call, paths, testRack } from './helpers.ts';

function twoCards(): RackLayout {
  const layout = rack1();
  const more = plainHost('as9', '10.20.7.9', [
    factoryCard({
      name: 'as9-dpu0',
      serial: 'MT2334XZ0C9A',
      baseMac: 'a0:88:c2:46:c9:00',
      pciAddress: '0000:21:00',
      numaNode: 0,
      armAddress: '10.20.7.90',
      bmcAddress: '10.20.7.91',
    }),
    factoryCard({
      name: 'as9-dpu1',
      serial: 'MT2334XZ0C9B',
      baseMac: 'a0:88:c2:46:c9:80',
      pciAddress: '0000:c1:00',
      numaNode: 1,
      armAddress: '10.20.7.92',
      bmcAddress: '10.20.7.93',
      sku: skus.b3220,
    }),
  ]);
  return { ...layout, name: 'rack9', hosts: [...layout.hosts, more] };
}

describe('layouts', () => {
  it('rack1 is two hosts with a B3240 each, joined p0 to p0, fresh on every call', () => {
    const layout = rack1();
    changeCard(layout, 'as7-dpu0', (card) => {
      card.mode = 'nic';
    });

    expect(
      rack1().hosts.map(({ name, cards }) => [
        name,
        ...cards.map((card) => [card.name, card.partNumber, card.mode, card.links]),
      ]),
    ).toEqual([
      ['as7', ['as7-dpu0', '900-9D3B6-00CN-AB0', 'dpu', { p0: 'as8-dpu0/p0' }]],
      ['as8', ['as8-dpu0', '900-9D3B6-00CN-AB0', 'dpu', { p0: 'as7-dpu0/p0' }]],
    ]);
  });

  it('refuses to change a card that is not there', () => {
    expect(() => changeCard(rack1(), 'as9-dpu0', () => undefined)).toThrow('no card as9-dpu0');
  });

  it('gives each card of a host its own rshim, slot and ports', () => {
    const { rack } = testRack(twoCards());
    const host = rack.host('as9');

    expect(host.exec('ops', 'ls -d /dev/rshim*').stdout).toBe('/dev/rshim0\n/dev/rshim1\n');
    expect(host.exec('root', 'cat /dev/rshim1/misc').stdout).toContain('DEV_NAME        pcie-0000:c1:00.2\n');
    expect(host.exec('root', 'lspci -vvv -s c1:00.0').stdout).toContain('[PN] Part number: 900-9D3B6-00CV-AA0\n');
    expect(host.exec('ops', 'cat /sys/class/net/ens4f0np0/address').stdout).toBe('a0:88:c2:46:c9:80\n');
    host.exec('root', 'mst start');
    expect(host.exec('root', 'flint -d /dev/mst/mt41692_pciconf1 q').stdout).toMatch(/^PSID: +MT_0000000884$/m);
  });

  it('takes rshim away from the host when the BMC has it from the start', () => {
    const layout = changeCard(twoCards(), 'as9-dpu0', (card) => {
      card.rshimOwner = 'bmc';
    });

    const { rack } = testRack(layout);

    expect(rack.host('as9').exec('root', 'cat /dev/rshim0/misc').stdout).toContain('pcie-0000:c1:00.2');
    expect(rack.host('as9').exec('root', 'cat /dev/rshim1/misc').exitCode).toBe(1);
  });

  it('has a card set up by hand: own passwords, other image, Secure Boot off', () => {
    const { card } = testRack(variations.handSetUp());

    expect(call(card, 'GET', paths.system, { password: '0penBmc' }).status).toBe(401);
    expect(call(card, 'GET', paths.system, { password: 'Hands0n-Setup!' }).status).toBe(200);
    expect(card.armLogin('ubuntu', 'ubuntu')).toBe('wrong');
    expect(card.armLogin('ubuntu', 'Hands0n-Arm-2024')).toBe('ok');
    expect(card.armExec('ubuntu', 'mokutil --sb-state').stdout).toBe('SecureBoot disabled\n');
  });
});
