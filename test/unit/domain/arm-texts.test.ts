import { describe, expect, it } from 'vitest';
import { errors } from '../../../src/errors.ts';

describe('an Arm that lets nobody in', () => {
  const card = { target: 'as7-dpu0', user: 'ubuntu', run: 418 };

  it('is said to have been changed where dpubot had set the password, and set up by hand where not', () => {
    const changed = errors.armLoginRefused({ ...card, tried: ['current', 'factory'] }).failure;
    const byHand = errors.armLoginRefused({ ...card, tried: ['factory'] }).failure;

    expect(changed.why).toContain('Somebody has changed its password and its authorized_keys since dpubot set them.');
    expect(byHand.why).toContain('The card was set up by hand, and its password is not known to dpubot.');
  });

  it('says in what state the card is, and the commands that go on although this run holds its host', () => {
    const { next, deviceState } = errors.armLockedOut({ ...card, why: 'Refused.', image: 'bf-2-9-2' }).failure;

    expect(next).toContain('The card runs as before: its SSH server answered and let nobody in.');
    expect(next).toContain('`/dpu resume 418`');
    expect(next).toContain('`/dpu reflash as7-dpu0 --image bf-2-9-2 --cancel 418`');
    expect(deviceState).toBe('unchanged');
  });
});
