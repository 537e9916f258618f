import { describe, expect, it } from 'vitest';
import type { ActionRecord, ApplyContext } from '../../../src/domain/step.ts';
import { giveRshimToBmc, takeRshimBack } from '../../../src/steps/update-rshim.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import { failing, RecoverWorld } from './recover-world.ts';

const own = 'as7-dpu0';
const other = 'as7-dpu1';
const said = (stdout: string) => ({ ...failing(0, ''), stdout });
const before = { bmcEnabled: true, host: 'Enabled', service: 'running' };
const given: ActionRecord = { action: 'give-rshim-to-bmc', before, done: true, atMs: 0 };
const back: ActionRecord = { action: 'take-rshim-back', before, done: true, atMs: 0 };

/** A host with two cards; what this run did with the other one is given. */
function contextOf(world: RecoverWorld, ofOther: readonly ActionRecord[]): ApplyContext {
  const context = world.context();
  world.resources['/redfish/v1/UpdateService/FirmwareInventory/DPU_OS'] = () =>
    jsonFixture('redfish/dpu-os.bf24.10.txt');
  world.answers['host: systemctl show'] = () =>
    said(`LoadState=loaded\nActiveState=${isStopped(world) ? 'inactive' : 'active'}\n`);
  world.answers['host: sh -c for m in'] = said(`=== rshim0\n${fixture('rshim/misc-level-0.txt')}`);
  const slice = { ...context.slice, entry: { ...context.slice.entry, dpus: [{ name: own }, { name: other }] } };
  const actionsIn = (_step: string, target: string) => (target === own ? world.actions : ofOther);
  return { ...context, slice, actionsIn } as unknown as ApplyContext;
}

/** The other card's turn came first, and has stopped it. */
function isStopped({ log }: RecoverWorld): boolean {
  const last = log.findLast((line) => /systemctl (stop|restart) rshim/.test(line));
  return last?.includes('stop') ?? false;
}

const restarts = ({ log }: RecoverWorld): number => log.filter((line) => line.includes('systemctl restart')).length;

describe('the rshim service of a host with two cards', () => {
  it.each<readonly [string, readonly ActionRecord[], number]>([
    ['is started again when the BMC of no other card has its rshim', [], 1],
    ['is started again when the other card was taken back', [given, back], 1],
    ['stays stopped while the BMC of the other card may still be writing', [given], 0],
  ])('%s', async (_what, ofOther, times) => {
    const world = new RecoverWorld();
    const context = contextOf(world, ofOther);
    world.actions.push({ ...given, before: { ...before, bmcEnabled: true } });

    await takeRshimBack(context);

    expect(restarts(world)).toBe(times);
    expect(world.actions.at(-1)).toMatchObject({ action: 'take-rshim-back', done: true });
  });

  it('counts as running for a card whose turn comes after another one has stopped it', async () => {
    const world = new RecoverWorld();
    world.log.push('host: systemctl stop rshim');

    await giveRshimToBmc(contextOf(world, [given]));

    expect(world.actions.at(-1)).toMatchObject({ action: 'give-rshim-to-bmc', before: { service: 'running' } });
  });
});
