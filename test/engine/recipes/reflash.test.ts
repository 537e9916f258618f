import { describe, expect, it } from 'vitest';
import { reflash } from '../../../jobs/reflash.ts';
import { provisionedWorld, resumeRun, runRecipe } from '../../support/provisioned.ts';

const wish = { reflash: true, force: true };

describe('/dpu reflash', () => {
  it('over rshim: erases the Arm although the image is there, and sets the new system up as the profile wants', async () => {
    const world = await provisionedWorld();
    const card = world.rack.card('as7-dpu0');
    card.armExec('ubuntu', 'echo precious > /home/ubuntu/notes');
    const systems = card.armHostKeyGeneration();

    const run = await runRecipe(world, reflash, { ...wish, via: 'auto' }, { image: 'bf-2.9.2-patched' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armHostKeyGeneration()).toBe(systems + 1);
    expect(card.armExec('ubuntu', 'cat /home/ubuntu/notes').exitCode).not.toBe(0);
    expect(card.armExec('ubuntu', 'hostname').stdout.trim()).toBe(card.serial);
  });

  it('over Redfish: the BMC fetches the image, and the first login is that of the image', async () => {
    const world = await provisionedWorld();
    const card = world.rack.card('as7-dpu0');
    const systems = card.armHostKeyGeneration();

    const run = await runRecipe(world, reflash, { ...wish, via: 'redfish' }, { image: 'bf-2.9.2' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armHostKeyGeneration()).toBe(systems + 1);
    expect(card.armExec('ubuntu', 'cat /etc/mlnx-release').stdout.trim()).toBe(
      'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod',
    );
    expect(card.armExec('ubuntu', 'hostname').stdout.trim()).toBe(card.serial);
    const record = await world.stores.records.get(card.serial);
    expect(record).toMatchObject({ origin: 'flashed', image: { name: 'bf-2.9.2', checked: 'release' } });
  });

  it.each([
    ['transfer-unknown-host', 'update-transfer-failed'],
    ['invalid-fw-package', 'image-refused-by-bmc'],
  ])('over Redfish with %s: ends in %s, gives the rshim back, and a resume finishes it', async (fault, code) => {
    const world = await provisionedWorld();
    world.rack.injectFault(fault, { target: 'as7-dpu0' });
    const stopped = await runRecipe(world, reflash, { ...wish, via: 'redfish' }, { image: 'bf-2.9.2' });
    expect(stopped.failure?.code).toBe(code);
    expect(world.rack.host('as7').exec('ops', 'systemctl is-active rshim').stdout.trim()).toBe('active');

    const run = await resumeRun(world, reflash, stopped.id);

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
  });
});
