import { describe, expect, it } from 'vitest';
import { setHugepages } from '../../../src/steps/set-hugepages.ts';
import { setOvsBridges } from '../../../src/steps/set-ovs-bridges.ts';
import { setOvsOffload } from '../../../src/steps/set-ovs-offload.ts';
import { carryOut, diedEverywhere, enrolled } from '../../support/arm-steps.ts';

describe('set-ovs-bridges', () => {
  const wanted = {
    bridges: [
      { name: 'ovsbr1', ports: ['p0', 'pf0hpf'] },
      { name: 'ovsbr2', ports: ['p1', 'pf1hpf'] },
    ],
    docaInit: false,
  };

  it('makes what is missing, a bridge before its ports, and leaves the rest', async () => {
    const world = await enrolled();
    world.arm.ovs.bridges.set('theirs', ['vxlan7']);

    await expect(carryOut(setOvsBridges, world, wanted)).resolves.toBe('applied');

    expect(world.log).toEqual([
      'arm: ovs-vsctl --may-exist add-br ovsbr2',
      'arm: ovs-vsctl --may-exist add-port ovsbr2 p1',
      'arm: ovs-vsctl --may-exist add-port ovsbr2 pf1hpf',
    ]);
    expect(world.arm.ovs.bridges.get('theirs')).toEqual(['vxlan7']);
    await expect(carryOut(setOvsBridges, world, wanted)).resolves.toBe('satisfied');
  });

  it('refuses a card without representors, which is not in switchdev mode, before anything is changed', async () => {
    const world = await enrolled();
    world.arm.links.delete('pf1hpf');

    await expect(carryOut(setOvsBridges, world, wanted)).resolves.toBe('link-not-found');
    expect(world.log).toEqual([]);
  });

  it('takes no port out of the bridge of somebody else', async () => {
    const world = await enrolled();
    world.arm.ovs.bridges.set('br-int', ['p1']);

    await expect(carryOut(setOvsBridges, world, wanted)).resolves.toBe('ovs-port-elsewhere');
    expect(world.log).toEqual([]);
  });

  it('goes on wherever the worker dies', async () => {
    for (const { point, world, outcome } of await diedEverywhere(setOvsBridges, async () => enrolled(), wanted)) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect(world.arm.ovs.bridges.get('ovsbr2'), point).toEqual(['p1', 'pf1hpf']);
    }
  });
});

describe('set-ovs-offload', () => {
  const wanted = { hwOffload: true, docaInit: false };

  it('sets it and restarts Open vSwitch once, since it is read at the start', async () => {
    const world = await enrolled();

    await expect(carryOut(setOvsOffload, world, wanted)).resolves.toBe('applied');

    expect(world.arm.ovs.running).toBe('true');
    expect(world.log).toEqual([
      'arm: ovs-vsctl set Open_vSwitch . other_config:hw-offload=true',
      'arm: systemctl restart openvswitch-switch.service',
    ]);
    await expect(carryOut(setOvsOffload, world, wanted)).resolves.toBe('satisfied');
  });

  it('switches it off where the software path is wanted', async () => {
    const world = await enrolled();
    world.arm.ovs.config.set('hw-offload', 'true');

    await expect(carryOut(setOvsOffload, world, { hwOffload: false, docaInit: false })).resolves.toBe('applied');
    expect(world.arm.ovs.config.get('hw-offload')).toBe('false');
  });

  it('does not take a setting for right that a dying worker has set without the restart', async () => {
    for (const { point, world, outcome } of await diedEverywhere(setOvsOffload, async () => enrolled(), wanted)) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect(world.arm.ovs.running, point).toBe('true');
    }
  });
});

describe('set-hugepages', () => {
  const wanted = { sizeMiB: 2, count: 2048 };

  it('gives them to the node of the card, now and for later boots', async () => {
    const world = await enrolled();

    await expect(carryOut(setHugepages, world, wanted)).resolves.toBe('applied');

    expect(world.host.hugepages).toBe(2048);
    expect([...world.host.files.values()].at(-1)).toBe(
      '# Written by dpubot.\nw /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages - - - - 2048\n',
    );
    await expect(carryOut(setHugepages, world, wanted)).resolves.toBe('satisfied');
  });

  it('leaves more than that, and keeps as many as asked for over a boot', async () => {
    const world = await enrolled();
    world.host.hugepages = 4096;
    world.host.hugepagesMost = 4096;

    await expect(carryOut(setHugepages, world, wanted)).resolves.toBe('applied');
    expect([...world.host.files.values()].at(-1)).toContain(' 2048\n');
  });

  it('says when the memory of the node does not give so many', async () => {
    const world = await enrolled();
    world.host.hugepagesMost = 1000;

    await expect(carryOut(setHugepages, world, wanted)).resolves.toBe('mismatch: hugepages 1000');
  });
});
