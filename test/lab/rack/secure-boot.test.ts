import { array, assert, boolean, constant, integer, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { call, get, openedRack, paths, resetArm } from './helpers.ts';
import type { TestRack } from './helpers.ts';

const bootMs = 100_000;

function secureBoot({ card }: TestRack): { enable: unknown; current: unknown } {
  const resource = get(card, paths.secureBoot);
  return { enable: resource['SecureBootEnable'], current: resource['SecureBootCurrentBoot'] };
}

function wish({ card }: TestRack, enable: boolean): number {
  return call(card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: enable } }).status;
}

function boot(test: TestRack): void {
  resetArm(test.card);
  test.advance(bootMs);
}

describe('Secure Boot', () => {
  it('flips the wish at once and the running value after the second boot', () => {
    const test = openedRack();
    expect(secureBoot(test)).toEqual({ enable: true, current: 'Enabled' });

    expect(wish(test, false)).toBe(204);
    expect(secureBoot(test)).toEqual({ enable: false, current: 'Enabled' });
    boot(test);
    expect(secureBoot(test)).toEqual({ enable: false, current: 'Enabled' });
    boot(test);

    expect(secureBoot(test)).toEqual({ enable: false, current: 'Disabled' });
    expect(test.card.armExec('ubuntu', 'mokutil --sb-state').stdout).toBe('SecureBoot disabled\n');
  });

  it('does not count a reset that comes before UEFI was reached', () => {
    const test = openedRack();
    wish(test, false);

    resetArm(test.card);
    test.advance(5_000);
    boot(test);

    expect(secureBoot(test).current).toBe('Enabled');
  });

  it('does not fetch a wish while the BMC is restarting, and loses the fields until the next boot', () => {
    const test = openedRack();
    wish(test, false);
    resetArm(test.card);
    call(test.card, 'POST', paths.managerReset, { body: { ResetType: 'ForceRestart' } });
    test.advance(110_000);

    expect(secureBoot(test)).toEqual({ enable: undefined, current: undefined });
    boot(test);
    expect(secureBoot(test)).toEqual({ enable: false, current: 'Enabled' });
    boot(test);
    expect(secureBoot(test)).toEqual({ enable: false, current: 'Disabled' });
  });

  it('lacks its fields in the variation and gets them by an Arm reset', () => {
    const test = openedRack(variations.secureBootFieldsMissing());
    expect(Object.keys(get(test.card, paths.secureBoot))).not.toContain('SecureBootMode');
    expect(wish(test, false)).toBe(500);

    boot(test);

    expect(secureBoot(test)).toEqual({ enable: true, current: 'Enabled' });
  });

  it('keeps the fields away for as many boots as the fault says', () => {
    const test = openedRack();
    test.rack.injectFault('secureboot-fields-missing', { target: 'as7-dpu0', uses: 2 });

    boot(test);
    expect(secureBoot(test).enable).toBeUndefined();
    boot(test);

    expect(secureBoot(test).enable).toBe(true);
  });

  it('loses the wish at the first boot under secureboot-reverts, and not the second time', () => {
    const test = openedRack();
    test.rack.injectFault('secureboot-reverts', { target: 'as7-dpu0' });
    wish(test, false);
    boot(test);
    boot(test);
    expect(secureBoot(test)).toEqual({ enable: true, current: 'Enabled' });

    wish(test, false);
    boot(test);
    boot(test);

    expect(secureBoot(test)).toEqual({ enable: false, current: 'Disabled' });
  });

  it('never runs without it before two boots have begun after the wish, whatever else happens', () => {
    const event = oneof(
      record({ kind: constant('wish' as const), enable: boolean() }),
      record({ kind: constant('reset' as const) }),
      record({ kind: constant('wait' as const), ms: integer({ min: 1, max: 150_000 }) }),
      record({ kind: constant('bmc-reset' as const) }),
      record({ kind: constant('off' as const) }),
      record({ kind: constant('fault' as const) }),
    );
    assert(
      property(array(event, { maxLength: 40 }), (events) => {
        const test = openedRack();
        const state = (): { current: boolean; boots: number } => {
          const [card] = test.rack.snapshot().cards;
          return { current: card?.secureBoot.currentBoot ?? true, boots: card?.arm.bootCount ?? 0 };
        };
        let bootsAtWish: number | null = null;
        for (const each of events) {
          if (each.kind === 'wait') test.advance(each.ms);
          else if (each.kind === 'reset') test.card.resetArm();
          else if (each.kind === 'bmc-reset') test.card.resetBmc();
          else if (each.kind === 'fault') test.rack.injectFault('secureboot-reverts', { target: 'as7-dpu0' });
          else if (test.card.bmcIsUp()) {
            if (each.kind === 'wish') {
              const done = wish(test, each.enable) === 204;
              if (done && !each.enable && bootsAtWish === null) bootsAtWish = state().boots;
            } else call(test.card, 'POST', paths.reset, { body: { ResetType: 'ForceOff' } });
          }
          const now = state();
          if (!now.current) {
            expect(bootsAtWish).not.toBeNull();
            expect(now.boots - (bootsAtWish ?? 0)).toBeGreaterThanOrEqual(2);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
