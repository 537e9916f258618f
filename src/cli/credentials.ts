import { readFile } from 'node:fs/promises';
import type { CliConfig } from '../config.ts';
import type { Inventory } from '../domain/inventory.ts';
import { Secret } from '../domain/secret.ts';
import { createCredentialStore } from '../store/credentials.ts';
import { createCredentialImporter } from '../store/named-credentials.ts';
import type { RedisSpace } from '../store/redis.ts';
import type { CliIo } from './io.ts';
import { UsageError, exitCodes, textTable } from './io.ts';
import { looksWrong } from './secret-form.ts';
import { inventoryOf, systemClock, withRedis } from './setup.ts';

export interface ImportWish {
  readonly name: string;
  /** A path, or `-` for standard input. Never the secret itself: command lines are readable by everybody. */
  readonly file: string;
  readonly sites: readonly string[];
}

/** `credentials import NAME [FILE|-]`: encrypts to the sites that use it and files it. */
export async function importCredential(io: CliIo, config: CliConfig, wish: ImportWish): Promise<number> {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(wish.name))
    throw new UsageError('NAME is lower-case letters, digits, dots, dashes and underscores, as in ssh-ops');
  const inventory = await inventoryOf(config);
  const sites = wish.sites.length > 0 ? wish.sites : sitesUsing(inventory, wish.name);
  if (sites.length === 0)
    throw new UsageError(`no host of the inventory uses "${wish.name}"; give --site NAME to import it all the same`);
  const secret = await readSecret(io, wish.file);
  const wrong = looksWrong(secret);
  if (wrong !== undefined) throw new UsageError(wrong);
  await withRedis(config, async (space) =>
    createCredentialImporter(space, systemClock).saveNamed(wish.name, secret, recipientsOf(inventory, sites)),
  );
  io.out(`${wish.name} is stored, readable by the workers of ${sites.join(', ')}.`);
  return exitCodes.good;
}

/**
 * `credentials import-bmc SERIAL [FILE|-]`: files the password that a DPU BMC has now as its current one, for cards that
 * were set up by hand. The one known before stays as the previous one.
 */
export async function importBmcPassword(io: CliIo, config: CliConfig, wish: ImportWish): Promise<number> {
  const inventory = await inventoryOf(config);
  const card = cardOf(inventory, wish.name);
  const site = wish.sites[0] ?? card?.site;
  if (site === undefined)
    throw new UsageError(`no card of the inventory has the serial "${wish.name}"; give --site NAME of its site`);
  const [recipient] = recipientsOf(inventory, [site]);
  const secret = await readSecret(io, wish.file);
  if (recipient === undefined || /[\r\n]/.test(secret.reveal()))
    throw new UsageError('a password is one line of text; the rest of the file is not understood');
  const key = { serial: card?.serial ?? wish.name };
  await withRedis(config, async (space) => {
    const store = createCredentialStore(space, { identities: config.ageIdentities, clock: systemClock });
    await store.savePending(key, secret, recipient, { replace: true });
    await store.promote(key);
  });
  io.out(`The BMC password of card ${key.serial} is stored, readable by the workers of ${site}.`);
  return exitCodes.good;
}

/** `credentials list`: names, sites and dates, and what the inventory names but nobody has imported. */
export async function listCredentials(io: CliIo, config: CliConfig): Promise<number> {
  const inventory = await inventoryOf(config);
  const stored = await withRedis(config, async (space: RedisSpace) =>
    createCredentialImporter(space, systemClock).list(),
  );
  const rows = stored.map(({ ref, savedAtMs, recipients }) => [
    ref,
    siteNames(inventory, recipients),
    new Date(savedAtMs).toISOString(),
  ]);
  const missing = usedCredentials(inventory).filter((ref) => !stored.some((entry) => entry.ref === ref));
  for (const line of textTable(['name', 'sites', 'stored'], rows)) io.out(line);
  for (const ref of missing) io.out(`warn  ${ref} is used by the inventory and not stored`);
  return exitCodes.good;
}

/** Names of all credentials that the inventory uses. */
export function usedCredentials(inventory: Inventory): string[] {
  return [...new Set(Object.values(inventory.hosts).map((host) => host.ssh.key))];
}

/** Sites whose workers need the credential: those of hosts that log in with it, themselves or as a jump host. */
export function sitesUsing(inventory: Inventory, ref: string): string[] {
  const hosts = Object.values(inventory.hosts);
  const uses = hosts.filter(({ ssh }) => {
    const jump = ssh.jump === undefined ? undefined : inventory.hosts[ssh.jump];
    return ssh.key === ref || jump?.ssh.key === ref;
  });
  return [...new Set(uses.map((host) => host.site))];
}

function recipientsOf(inventory: Inventory, sites: readonly string[]): string[] {
  return sites.map((name) => {
    const site = inventory.sites[name];
    if (!site)
      throw new UsageError(`the inventory has no site "${name}"; it has ${Object.keys(inventory.sites).join(', ')}`);
    return site.recipient;
  });
}

function siteNames(inventory: Inventory, recipients: readonly string[]): string {
  return recipients
    .map(
      (recipient) => Object.entries(inventory.sites).find(([, site]) => site.recipient === recipient)?.[0] ?? 'unknown',
    )
    .join(', ');
}

/** A card by its serial number, or by its name where the inventory gives the serial. */
function cardOf(inventory: Inventory, word: string): { readonly serial: string; readonly site: string } | undefined {
  for (const host of Object.values(inventory.hosts))
    for (const dpu of host.dpus)
      if (dpu.serial !== undefined && (dpu.serial === word || dpu.name === word))
        return { serial: dpu.serial, site: host.site };
  return undefined;
}

async function readSecret(io: CliIo, file: string): Promise<Secret> {
  const text = file === '-' ? await io.readStdin() : await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new UsageError(`${file} cannot be read`);
  if (text.trim() === '') throw new UsageError(file === '-' ? 'standard input was empty' : `${file} is empty`);
  // An editor's last line break is no part of a password; keys keep theirs.
  return new Secret(text.startsWith('-----BEGIN') ? text : text.replace(/\r?\n$/, ''));
}
