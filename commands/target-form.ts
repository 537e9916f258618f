import type { CommandRequest, Flag } from './define.ts';
import type { HostEntry, Inventory } from '../src/domain/inventory.ts';
import type { FormField } from '../src/report/message.ts';
import { count } from '../src/report/text.ts';

/** Slack shows so many choices of a group; the others are typed. */
const MAX_CHOICES = 100;

/** Racks, hosts and cards to pick from, each with the profile that says what it is to become; anything else can be typed. */
export function targetField({ context }: CommandRequest): FormField {
  const inventory = context.inventory();
  const hosts = Object.entries(inventory.hosts);
  const racks = new Map<string, HostEntry['dpus'][number][]>();
  for (const [, entry] of hosts) racks.set(entry.rack, [...(racks.get(entry.rack) ?? []), ...entry.dpus]);
  const cards = hosts.flatMap(([host, entry]) => entry.dpus.map((dpu) => ({ host, dpu, entry })));
  const groups = [
    {
      label: 'Racks',
      choices: [...racks].map(([name, dpus]) => ({ value: name, text: `${name} (${count(dpus.length, 'DPU')})` })),
    },
    {
      label: 'Hosts',
      choices: hosts.map(([name, entry]) => ({
        value: name,
        text: `${name} (${count(entry.dpus.length, 'DPU')})`,
        about: wish(inventory, entry.profile),
      })),
    },
    {
      label: 'DPUs',
      choices: cards.map(({ host, dpu, entry }) => ({
        value: dpu.name,
        text: `${dpu.name} in ${host}`,
        about: wish(inventory, dpu.profile ?? entry.profile),
      })),
    },
  ];
  const missing = groups.reduce((sum, { choices }) => sum + Math.max(0, choices.length - MAX_CHOICES), 0);
  return {
    kind: 'targets',
    label: 'Racks and hosts, or single DPUs',
    groups,
    hint: `A rack, host or DPU; several as in rack[1-4],tag:gen5.${missing === 0 ? '' : ` ${missing} more are not in the list: type them.`}`,
  };
}

/** What a profile wants, in the few words that a choice has room for. */
function wish({ profiles }: Inventory, name: string): string {
  const profile = profiles[name];
  const wants = [profile?.image && `image ${profile.image}`, profile?.doca && `DOCA ${profile.doca.version}`];
  const shown = wants.filter((part) => part !== undefined && part !== '');
  return `profile ${name}${shown.length === 0 ? '' : `: ${shown.join(', ')}`}`;
}

/** The switches of a command as boxes to tick. */
export function switchesField(flags: readonly Flag[]): FormField {
  const switches = flags.filter(({ kind, hidden }) => kind === 'switch' && hidden !== true);
  return {
    kind: 'switches',
    label: 'How',
    choices: switches.map(({ name, about }) => ({ value: name, text: `--${name}`, about })),
  };
}
