import { canonicalHash } from '../domain/canonical.ts';
import type { DpuEntry, HostEntry } from '../domain/inventory.ts';
import { Profile } from '../domain/inventory.ts';
import type { Problem, View } from './view.ts';
import { record, unknownName } from './view.ts';

/** What is wrong with images, profiles, and with the profiles that a host and its cards have together. */
export function profileProblems(view: View): Problem[] {
  return withoutRepeats([
    ...imageProblems(view),
    ...[...view.profiles].flatMap(([name, profile]) => oneProfile(view, name, profile)),
    ...[...view.hosts].flatMap(([name, host]) => profilesOfHost(view, name, host)),
  ]);
}

/** Several hosts with the same profile have the same problem once. */
function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path.join('.')} ${problem.text}`, problem])).values()];
}

function imageProblems(view: View): Problem[] {
  return Object.entries(view.rawImages).flatMap(([name, image]): Problem[] => {
    const { file } = record(image);
    if (typeof file !== 'string' || !/^[a-z]+:\/\//i.test(file)) return [];
    return [
      { path: ['images', name, 'file'], text: 'is an address: write it as `url`; `file` is a path on the worker' },
    ];
  });
}

/** What a profile wants of a card and cannot have as it is written. */
function oneProfile(view: View, name: string, profile: Profile): Problem[] {
  const path = ['profiles', name];
  const { image, arm, ntp, mtuBytes, tailscale } = profile;
  const problems: Problem[] = [];
  if (image !== undefined) problems.push(...unknownName([...path, 'image'], 'image', image, view.imageNames));
  if (image !== undefined && view.images.get(image)?.signed === false && profile.secureBoot === 'leave')
    problems.push({
      path: [...path, 'image'],
      text: `${image} is not signed, and its modules do not load with Secure Boot on: set \`secureBoot: 'off'\``,
    });
  if (tailscale?.authKey.startsWith('tskey-') === true)
    problems.push({
      path: [...path, 'tailscale', 'authKey'],
      text: 'looks like the key itself: revoke it, import a new one (`dpubot credentials import NAME -`) and write its name here',
    });
  if (arm !== undefined) return problems;
  const onCard = {
    image: image === undefined ? undefined : 'the flash puts the login key on the card',
    ntp: ntp && 'it is set on the card',
    mtuBytes: mtuBytes && 'it is set on the card',
    tailscale: tailscale?.on.includes('dpu') === true ? 'it is installed on the card' : undefined,
  };
  for (const [key, why] of Object.entries(onCard))
    if (why !== undefined)
      problems.push({
        path: [...path, key],
        text: `needs a login on the Arm, because ${why}: add \`arm: { key: NAME }\``,
      });
  return problems;
}

/** A profile in use: its name, what it says, and where the file names it (or the profile, where nobody names it). */
interface Used {
  readonly name: string;
  readonly profile: Profile;
  readonly path: Problem['path'];
}

function profilesOfHost(view: View, name: string, host: HostEntry): Problem[] {
  const path = ['hosts', name];
  const unknown = unknownProfile(view, [...path, 'profile'], host.profile);
  const own = used(view, host.profile, [...path, 'profile']);
  const cards = host.dpus.flatMap((dpu, index) => cardProblems(view, { name, host, own }, dpu, index));
  return [...unknown, ...(own === undefined ? [] : activationProblems(name, host, own)), ...cards];
}

function cardProblems(
  view: View,
  { name, host, own }: { readonly name: string; readonly host: HostEntry; readonly own: Used | undefined },
  dpu: DpuEntry,
  index: number,
): Problem[] {
  const path = ['hosts', name, 'dpus', index];
  const card = dpu.profile === undefined ? own : used(view, dpu.profile, [...path, 'profile']);
  const unknown = dpu.profile === undefined ? [] : unknownProfile(view, [...path, 'profile'], dpu.profile);
  if (card === undefined) return unknown;
  const problems = [...unknown, ...activationProblems(name, host, card)];
  if (dpu.bmc.address === 'auto' && card.profile.arm === undefined)
    problems.push({
      path: [...path, 'bmc', 'address'],
      text: `auto is asked over the Arm of the card, and profile ${card.name} has no login on it: add \`arm: { key: NAME }\` there, or give the address`,
    });
  return own === undefined ? problems : [...problems, ...docaProblems(name, own, card)];
}

/** DOCA stands on the host, so the profile of the host counts; a flash needs it there. */
function docaProblems(host: string, own: Used, card: Used): Problem[] {
  const { path } = card;
  if (card.profile.doca !== undefined && own.profile.doca === undefined)
    return [
      {
        path,
        text: `profile ${card.name} has a doca, and profile ${own.name} of ${host}, which counts for the host, has none: add it there`,
      },
    ];
  if (card.profile.doca !== undefined && canonicalHash(card.profile.doca) !== canonicalHash(own.profile.doca))
    return [
      {
        path,
        text: `profile ${card.name} has another doca than profile ${own.name} of ${host}, and the host's counts: make them the same, or leave doca out of ${card.name}`,
      },
    ];
  if (card.profile.image === undefined || own.profile.doca !== undefined) return [];
  return [
    {
      path: card.name === own.name ? ['profiles', card.name, 'image'] : path,
      text: `the image of profile ${card.name} is pushed over rshim, which DOCA brings to the host: add \`doca\` to profile ${own.name}`,
    },
  ];
}

function activationProblems(name: string, host: HostEntry, { name: profileName, profile, path }: Used): Problem[] {
  if (profile.activation !== 'host-bmc' || host.bmc !== undefined) return [];
  return [
    {
      path,
      text: `profile ${profileName} activates over the BMC of the host, and ${name} has no \`bmc\`: add it, or use \`activation: by-hand\` or \`later\``,
    },
  ];
}

/** `default` needs no definition: it is the built-in profile. */
function unknownProfile(view: View, path: Problem['path'], profile: string): Problem[] {
  return profile === 'default' ? [] : unknownName(path, 'profile', profile, view.profileNames);
}

/** Undefined for a profile that is not there or not well formed: that is told elsewhere. */
function used(view: View, name: string, path: Problem['path']): Used | undefined {
  const builtIn = name === 'default' && !view.profileNames.includes(name) ? Profile.parse({}) : undefined;
  const profile = view.profiles.get(name) ?? builtIn;
  return profile && { name, profile, path };
}
