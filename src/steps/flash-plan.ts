import { byteText } from '../domain/byte-text.ts';
import type { Reboot } from '../domain/plan.ts';
import type { Diff } from '../domain/step.ts';
import { isSecureBootOff, secureBootText } from '../facts/secure-boot.ts';
import { judgeImage } from './flash-image.ts';
import type { FlashParams } from './flash-params.ts';
import { freeingResets } from './flash-secure-boot.ts';
import type { FlashState } from './flash-state.ts';

/** Decides whether the card is flashed. Pure. */
export function judgeFlash(state: FlashState, params: FlashParams, target: string): Diff {
  if (state.underWay) return flash(state, params, target);
  const verdict = params.force && !state.recorded ? 'flash' : judgeImage(state, params, target);
  if (verdict !== 'flash') return verdict;
  if (state.secureBoot !== undefined && !isSecureBootOff(state.secureBoot))
    return {
      kind: 'deferred',
      awaits: 'secure-boot-off',
      reason: `${params.image.name} is not signed and Secure Boot is ${secureBootText(state.secureBoot)}`,
    };
  if (state.rshim?.kind === 'missing') return { kind: 'refused', failure: state.rshim.failure };
  return flash(state, params, target);
}

function flash(state: FlashState, params: FlashParams, target: string): Diff {
  const { image } = params;
  const from = present(state);
  const minutes = params.bmcComponents === 'update' ? 40 : 15;
  const owner = state.rshim?.kind === 'bmc' ? '; its rshim is taken from the BMC for that' : '';
  const text = state.underWay
    ? `${target}: the flash of ${image.name} that this run began is brought to its end`
    : `${target}: all files on its Arm are erased, ${image.name} (${byteText(image.bytes)}) is written over ${from}; about ${minutes} min${owner}`;
  return {
    kind: 'change',
    changes: [{ target, from, to: `${image.name} (${image.version})`, text }],
    reboots: flashReboots(params, target),
  };
}

function present(state: FlashState): string {
  const name = state.arm?.marker?.image ?? state.record?.image?.name;
  const release = state.arm?.release ?? state.dpuOs;
  if (state.underWay) return name ?? 'an unfinished flash';
  if (name !== undefined) return release === undefined ? name : `${name} (${release})`;
  return release ?? 'what is there';
}

/**
 * The Arm is reset for the push and once more into the new system, and more often where Secure Boot comes back and the
 * image is not signed; with BMC parts the BMC restarts too.
 */
export function flashReboots(params: FlashParams, target: string): readonly Reboot[] {
  const arm: Reboot[] = [{ what: 'arm', target, times: 2, certainty: 'planned' }];
  if (params.secureBootMustBeOff) arm.push(freeingResets(target));
  if (params.bmcComponents === 'skip') return arm;
  const when = 'when the image brings other firmware for the BMC';
  return [...arm, { what: 'bmc', target, times: 1, certainty: 'at-most', when }];
}
