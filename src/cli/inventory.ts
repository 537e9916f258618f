import { readFile } from 'node:fs/promises';
import type { Inventory } from '../domain/inventory.ts';
import { errors } from '../errors.ts';
import { checkInventoryText, inventoryJsonSchema } from '../inventory-file.ts';
import type { CliIo } from './io.ts';
import { exitCodes, textTable } from './io.ts';

/** `inventory check FILE`: problems with line and column, or what the file means. Exit 1 when it is broken. */
export async function checkInventory(io: CliIo, file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw errors.inventoryInvalid({ file, problems: ['the file cannot be read'] });
  const result = checkInventoryText(text);
  if (!result.ok) {
    for (const problem of result.problems) io.out(`${file}:${problem}`);
    io.err(`${result.problems.length} problem${result.problems.length === 1 ? '' : 's'}`);
    return exitCodes.bad;
  }
  for (const line of [...targetLines(result.inventory), '', ...rightLines(result.inventory)]) io.out(line);
  for (const warning of warnings(result.inventory)) io.out(`warn  ${warning}`);
  return exitCodes.good;
}

/** `inventory schema`: JSON Schema for editors. */
export function printSchema(io: CliIo): number {
  io.out(JSON.stringify(inventoryJsonSchema(), null, 2));
  return exitCodes.good;
}

/** One line per card: where it is, what it wants, how it is reached. */
function targetLines(inventory: Inventory): string[] {
  const rows = Object.entries(inventory.hosts).flatMap(([host, entry]) =>
    entry.dpus.map((dpu) => [
      inventory.sites[entry.site]?.simulated === true ? `${entry.site} (SIMULATED)` : entry.site,
      entry.rack,
      host,
      dpu.name,
      dpu.profile ?? entry.profile,
      `${entry.ssh.user}@${entry.ssh.address}:${entry.ssh.port}${entry.ssh.jump === undefined ? '' : ` via ${entry.ssh.jump}`}`,
      `${dpu.bmc.address}:${dpu.bmc.port}${dpu.bmc.via === 'host' ? ' via host' : ''}`,
    ]),
  );
  return textTable(['site', 'rack', 'host', 'DPU', 'profile', 'SSH', 'DPU BMC'], rows);
}

function rightLines(inventory: Inventory): string[] {
  const { policy } = inventory;
  const rule = (risk: 'disruptive' | 'destructive'): string => {
    const { role, votes, selfApprovalRole } = policy.approvals[risk];
    const alone = selfApprovalRole === undefined ? '' : `, or the requester alone with role ${selfApprovalRole}`;
    return `${votes} of ${peopleOf(inventory, [role])}${alone}`;
  };
  return textTable(
    ['right', 'who'],
    [
      ['operate', peopleOf(inventory, policy.operate)],
      ['administer', peopleOf(inventory, policy.administer)],
      ['approve disruptive', rule('disruptive')],
      ['approve destructive', rule('destructive')],
      ['channels', inventory.channels.length === 0 ? 'every channel the bot is in' : inventory.channels.join(', ')],
    ],
  );
}

function peopleOf(inventory: Inventory, roles: readonly string[]): string {
  if (roles.length === 0) return 'nobody';
  return roles
    .map((name) => {
      const role = inventory.roles[name];
      const members = [...(role?.users ?? []), ...(role?.userGroups ?? []).map((group) => `group ${group}`)];
      return `${name} (${members.length === 0 ? 'nobody' : members.join(', ')})`;
    })
    .join(', ');
}

/** Legal, but hardly what was meant. */
function warnings(inventory: Inventory): string[] {
  const { policy } = inventory;
  const texts: string[] = [];
  if (policy.operate.length === 0) texts.push('nobody may start runs: policy.operate is empty');
  for (const risk of ['disruptive', 'destructive'] as const) {
    const { role, votes } = policy.approvals[risk];
    const members = inventory.roles[role];
    if (members && members.userGroups.length === 0 && members.users.length < votes)
      texts.push(`${risk} work can never be approved: it needs ${votes} of ${role}, which has ${members.users.length}`);
  }
  return texts;
}
