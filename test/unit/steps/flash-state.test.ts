import { describe, expect, it } from 'vitest';
import type { CardRecord } from '../../../src/domain/device-ports.ts';
import type { Diff } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import type { FlashParams } from '../../../src/steps/flash-params.ts';
import type { FlashState } from '../../../src/steps/flash-state.ts';
import { flashReboots, judgeFlash } from '../../../src/steps/flash-plan.ts';
import { params, serial, version } from './flash-world.ts';

const older = 'bf-bundle-2.7.0-33_24.04_ubuntu-22.04_prod';
const blank: FlashState = {
  underWay: false,
  recorded: false,
  factoryPassword: false,
  record: undefined,
  dpuOs: version,
  arm: undefined,
  secureBoot: undefined,
  rshim: undefined,
};

function judge(state: Partial<FlashState>, wanted: Partial<FlashParams> = {}): Diff {
  return judgeFlash({ ...blank, ...state }, { ...params, ...wanted }, 'as7-dpu0');
}

function outcome(diff: Diff): string {
  return diff.kind === 'refused' ? diff.failure.code : diff.kind;
}

function record(origin: CardRecord['origin'], sha256?: string): CardRecord {
  const image = sha256 === undefined ? {} : { image: { name: 'some-image', sha256 } };
  return { origin, ...image, runId: 1, atMs: 0 };
}

const wanted = params.image.sha256;
const other = 'b'.repeat(64);
const marker = (sha256: string) => ({ image: 'some-image', sha256, runId: 1, serial });

describe('what runs on a card', () => {
  it.each<readonly [string, Partial<FlashState>, Partial<FlashParams>, string]>([
    ['the marker of the wanted image', { arm: { marker: marker(wanted), release: version } }, {}, 'satisfied'],
    ['a record of it, and the BMC agrees', { record: record('flashed', wanted) }, {}, 'satisfied'],
    [
      'adopted, and the Arm agrees',
      { record: record('adopted', wanted), arm: { marker: undefined, release: version } },
      {},
      'satisfied',
    ],
    [
      'adopted, also when reflashing unknown ones was asked for',
      { record: record('adopted', wanted) },
      { reflash: true },
      'satisfied',
    ],
    ['the marker of another image', { arm: { marker: marker(other), release: version } }, {}, 'change'],
    ['a record of another image', { record: record('flashed', other) }, {}, 'change'],
    [
      'the marker of another one than the record says',
      { record: record('flashed', wanted), arm: { marker: marker(other), release: version } },
      {},
      'change',
    ],
    [
      'the wanted file, but another release in the inventory',
      { arm: { marker: marker(wanted), release: older } },
      {},
      'unknown-image',
    ],
    ['a record, but another release', { record: record('flashed', wanted), dpuOs: older }, {}, 'unknown-image'],
    [
      'a record, and nobody names the release',
      { record: record('flashed', wanted), dpuOs: undefined },
      {},
      'unknown-image',
    ],
    ['factory state', { record: record('factory') }, {}, 'change'],
    [
      'factory state, also with the wanted release',
      { record: record('factory'), dpuOs: version },
      { adopt: true },
      'change',
    ],
    ['the factory password of the BMC', { factoryPassword: true }, {}, 'change'],
    ['a flash by dpubot that was not finished', { record: record('flashed') }, {}, 'change'],
    ['something unknown', {}, {}, 'unknown-image'],
    ['something unknown, erased', {}, { reflash: true }, 'change'],
    ['something unknown with the wanted release, adopted', {}, { adopt: true }, 'satisfied'],
    ['something unknown with another release, adopted', { dpuOs: older }, { adopt: true }, 'unknown-image'],
    ['something that nobody names, adopted', { dpuOs: undefined }, { adopt: true }, 'unknown-image'],
    [
      'a foreign system without a release',
      { arm: { marker: undefined, release: undefined } },
      { adopt: true },
      'unknown-image',
    ],
    ['a flash of this run under way', { underWay: true, dpuOs: undefined }, {}, 'change'],
  ])('%s: decides', (_what, state, wish, expected) => {
    expect(outcome(judge(state, wish))).toBe(expected);
  });

  it('is believed of the Arm before the BMC, which lags behind', () => {
    const arm = { marker: marker(wanted), release: version };

    expect(judge({ arm, dpuOs: older }).kind).toBe('satisfied');
  });

  it.each<readonly [string, Partial<FlashState>, string]>([
    ['the marker', { arm: { marker: marker(wanted), release: version } }, 'put there by dpubot'],
    ['a record of a push', { record: record('flashed', wanted) }, 'put there by dpubot'],
    ['a record of an adoption', { record: record('adopted', wanted) }, 'its SHA-256 was never checked'],
    [
      'a record of an image that the BMC fetched',
      { record: { ...record('flashed'), image: { name: 'some-image', sha256: wanted, checked: 'release' } } },
      'its SHA-256 was never checked',
    ],
  ])('by %s: says no more than was checked', (_what, state, reason) => {
    expect(judge(state)).toMatchObject({ kind: 'satisfied', reason: expect.stringContaining(reason) });
  });

  it('taken over as it is comes with a warning', () => {
    expect(judge({}, { adopt: true })).toMatchObject({ warning: expect.stringContaining('--adopt') });
  });

  it('refused as unknown names both ways out only where both are open', () => {
    const same = judge({});
    const another = judge({ dpuOs: older });

    expect(same).toMatchObject({ failure: { next: expect.stringMatching(/--adopt.*--reflash/) } });
    expect(another).toMatchObject({ failure: { next: expect.not.stringContaining('--adopt') } });
  });
});

describe('the plan of a flash', () => {
  it('says what is lost, what comes, how big it is and how long it takes', () => {
    const diff = judge({ record: record('flashed', other), dpuOs: older });

    expect(diff).toMatchObject({
      changes: [
        {
          text: `as7-dpu0: all files on its Arm are erased, bf-2-9-2 (1.41 GiB) is written over some-image (${older}); about 15 min`,
        },
      ],
    });
  });

  it('counts the restart of the BMC where the image brings its firmware', () => {
    expect(flashReboots(params, 'as7-dpu0')).toHaveLength(1);
    expect(flashReboots({ ...params, bmcComponents: 'update' }, 'as7-dpu0')).toContainEqual(
      expect.objectContaining({ what: 'bmc', certainty: 'at-most' }),
    );
  });

  it('waits for Secure Boot where the image is not signed', () => {
    const on = { enable: true, currentBoot: 'Enabled' } as const;

    expect(judge({ record: record('factory'), secureBoot: on })).toMatchObject({
      kind: 'deferred',
      awaits: 'secure-boot-off',
    });
    expect(judge({ record: record('flashed', wanted), secureBoot: on }).kind).toBe('satisfied');
  });

  it('is refused where the card has no rshim, and says when it is taken from the BMC', () => {
    const { failure } = errors.rshimNotFound({ target: 'as7-dpu0', host: 'as7', why: 'Its rshim service is stopped.' });
    const settings = { bmcEnabled: true, host: 'Disabled' } as const;

    expect(outcome(judge({ record: record('factory'), rshim: { kind: 'missing', failure } }))).toBe('rshim-not-found');
    expect(judge({ record: record('factory'), rshim: { kind: 'bmc', drop: undefined, settings } })).toMatchObject({
      changes: [{ text: expect.stringContaining('taken from the BMC') }],
    });
  });
});
