import type { Diff } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { FlashParams } from './flash-params.ts';
import type { FlashState } from './flash-state.ts';

/** What the image on the card means: it is right, nobody may erase it unasked, or it is flashed. Pure. */
export function judgeImage(state: FlashState, params: FlashParams, target: string): Diff | 'flash' {
  const { image } = params;
  const { marker } = state.arm ?? {};
  const recorded = state.record?.origin === 'factory' ? undefined : state.record?.image;
  const known = marker === undefined ? recorded : { name: marker.image, sha256: marker.sha256 };
  const running = state.arm === undefined ? state.dpuOs : state.arm.release;
  if (known !== undefined && known.sha256 !== image.sha256) return 'flash';
  if (known !== undefined && running === image.version)
    return { kind: 'satisfied', reason: knownText(state, image.name, running) };
  if (marker !== undefined) return refuseVersion(state, params, target);
  if (known === undefined && mayBeErased(state)) return 'flash';
  if (params.reflash) return 'flash';
  if (params.adopt && running === image.version)
    return {
      kind: 'satisfied',
      reason: `taken over as it is: ${running} runs on it`,
      warning: `${target} was set up by hand and is taken over as it is (--adopt): its release is the wanted one, its files are not known`,
    };
  return refuseUnknown(state, params, target, running);
}

/** Says no more than was seen of the card. */
function knownText({ arm, record }: FlashState, name: string, running: string): string {
  const isPushed = record?.origin === 'flashed' && record.image?.checked === undefined;
  if (arm?.marker !== undefined || isPushed) return `${name} (${running}) runs on it, put there by dpubot`;
  return `${running} runs on it, the release of ${name}; it was fetched by its BMC or taken over, and its SHA-256 was never checked`;
}

/** Nobody has put anything there yet, or a flash by dpubot began to erase it and was not brought to its end. */
function mayBeErased({ record, factoryPassword }: FlashState): boolean {
  const isUnfinished = record?.origin === 'flashed' && record.image === undefined;
  return isUnfinished || record?.origin === 'factory' || factoryPassword;
}

function refuseVersion(state: FlashState, params: FlashParams, target: string): Diff {
  const { image } = params;
  const { failure } = errors.unknownImage({
    target,
    runs: `the very file that is wanted (${image.name}), with release ${state.arm?.release ?? 'none'}`,
    wanted: `release ${image.version}`,
    why: 'Flashing the same file again would end in the same release.',
    next: `Correct \`version\` of image ${image.name} in the inventory to what /etc/mlnx-release says. Nothing was changed.`,
  });
  return { kind: 'refused', failure };
}

function refuseUnknown(state: FlashState, params: FlashParams, target: string, running: string | undefined): Diff {
  const { image } = params;
  const erase = `\`/dpu provision ${target} --reflash\` erases it and writes ${image.name}`;
  const adoptable = running === image.version;
  const adopt = adoptable ? `\`/dpu provision ${target} --adopt\` takes it over as it is, ` : '';
  const why =
    state.record?.image === undefined
      ? 'dpubot did not put it there, and does not erase what it does not know.'
      : `By its record ${state.record.image.name} runs there: somebody has changed the card since, or \`version\` of the image in the inventory is not what it installs.`;
  const { failure } = errors.unknownImage({
    target,
    runs: running === undefined ? 'something that neither its Arm nor its BMC names' : `an unknown image (${running})`,
    wanted: `${image.name} (${image.version})`,
    why: params.adopt && !adoptable ? `${why} Only the image of the profile can be taken over.` : why,
    next: `${adopt}${erase}. Nothing was changed.`,
  });
  return { kind: 'refused', failure };
}
