import { describe, expect, it } from 'vitest';
import { reboot } from '../../../jobs/reboot.ts';
import { sliceOf } from '../../../src/domain/inventory.ts';
import type { World } from '../../support/engine-world.ts';
import { startEngine } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';

/** Somebody has the BMC of the card fetch an image, past dpubot; the web server never comes to an end. */
async function orderUpdate(world: World): Promise<void> {
  world.rack.connectOutside({ fetchFile: () => undefined });
  const slice = sliceOf(world.inventory, 'as7');
  const [dpu] = slice.entry.dpus;
  if (dpu === undefined) throw new Error('as7 has no card');
  const card = { slice, dpu, serial: 'MT2334XZ0A7K' };
  const options = { timeoutMs: 1_000, signal: new AbortController().signal };
  const login = await startEngine(world).devices.bmc.login(card, options);
  if (login.state !== 'in') throw new Error(login.state);
  const body = {
    TransferProtocol: 'HTTP',
    ImageURI: '10.1.1.1//bf.bfb',
    Targets: ['redfish/v1/UpdateService/FirmwareInventory/DPU_OS'],
  };
  await login.session.patch(
    '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia',
    { BmcRShim: { BmcRShimEnabled: true } },
    options,
  );
  world.rack.host('as7').exec('root', 'systemctl stop rshim');
  await login.session.post('/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate', body, options);
}

describe('/dpu reboot', () => {
  it('arm: resets the Arm once and leaves host and BMC alone', async () => {
    const world = await provisionedWorld();
    const [card, host] = [world.rack.card('as7-dpu0'), world.rack.host('as7')];
    const before = [card.armBootId(), host.bootId(), card.bmcStartedAtMs()];

    const run = await runRecipe(world, reboot, { what: 'arm' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armBootId()).not.toBe(before[0]);
    expect([host.bootId(), card.bmcStartedAtMs()]).toEqual(before.slice(1));
    expect(card.armIsUp()).toBe(true);
  });

  it('bmc: restarts the BMC once, and waits until it answers again', async () => {
    const world = await provisionedWorld();
    const card = world.rack.card('as7-dpu0');
    const before = [card.armBootId(), card.bmcStartedAtMs()];

    const run = await runRecipe(world, reboot, { what: 'bmc' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armBootId()).toBe(before[0]);
    expect(card.bmcStartedAtMs()).not.toBe(before[1]);
    expect(card.bmcIsUp()).toBe(true);
  });

  it.each([
    ['warm: its system starts anew and the Arm keeps running', false],
    ['cold: its cards lose their power too', true],
  ])('host, %s', async (_what, cold) => {
    const world = await provisionedWorld();
    const [card, host] = [world.rack.card('as7-dpu0'), world.rack.host('as7')];
    const before = { arm: card.armBootId(), host: host.bootId() };

    const run = await runRecipe(world, reboot, { what: 'host', cold });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(host.bootId()).not.toBe(before.host);
    expect(card.armBootId() !== before.arm).toBe(cold);
    expect(card.armIsUp()).toBe(true);
  });

  it.each([
    ['arm', { what: 'arm' }],
    ['bmc', { what: 'bmc' }],
    ['host', { what: 'host' }],
    ['host, cold', { what: 'host', cold: true }],
  ])('%s: restarts nothing while the BMC of the card is at an update', async (_what, params) => {
    const world = await provisionedWorld();
    await orderUpdate(world);
    const [card, host] = [world.rack.card('as7-dpu0'), world.rack.host('as7')];
    const before = [card.bmcStartedAtMs(), host.bootId()];

    const run = await runRecipe(world, reboot, params);

    expect([run.state, run.failure?.code]).toEqual(['refused', 'reboot-while-flashing']);
    expect(run.failure?.why).toMatch(/TaskService\/Tasks\/\d+ is Running/);
    expect([card.bmcStartedAtMs(), host.bootId()]).toEqual(before);
  });

  it('arm: has nothing to reset in NIC mode, and names what helps', async () => {
    const world = await provisionedWorld();
    world.rack.injectFault('nic-mode', { target: 'as7-dpu0' });

    const run = await runRecipe(world, reboot, { what: 'arm' });

    expect([run.state, run.failure?.code, run.failure?.deviceState]).toEqual(['refused', 'nic-mode', 'unchanged']);
    expect(run.failure?.next).toMatch(/`\/dpu recover as7-dpu0 dpu-mode` .*`\/dpu reboot as7 host --cold`/);
  });
});
