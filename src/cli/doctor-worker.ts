import { randomBytes } from 'node:crypto';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliConfig } from '../config.ts';
import type { HostAccess } from '../domain/device-ports.ts';
import type { Inventory } from '../domain/inventory.ts';
import { sliceOf } from '../domain/inventory.ts';
import { Secret } from '../domain/secret.ts';
import { failureOf } from '../errors.ts';
import { decryptWith, encryptTo } from '../store/age.ts';
import { createCredentialStore } from '../store/credentials.ts';
import { createCredentialImporter } from '../store/named-credentials.ts';
import { createPinStore } from '../store/pins.ts';
import type { RedisSpace } from '../store/redis.ts';
import { createRedactor } from '../transport/redact.ts';
import { createHostAccess } from '../transport/ssh/host-access.ts';
import { sitesUsing, useOf, usedCredentials } from './credentials.ts';
import type { Finding } from './findings.ts';
import { fail, ok, warn } from './findings.ts';
import { systemClock } from './setup.ts';

/** Hosts asked at once: enough to be quick, few enough not to look like a scan. */
const AT_ONCE = 8;
const SUDO_TIMEOUT_MS = 15_000;

/** What a worker needs: identity, escrow, credentials, hosts, pins. Says so when the settings are not a worker's. */
export async function checkWorkerSide(config: CliConfig, space: RedisSpace, inventory: Inventory): Promise<Finding[]> {
  if (config.ageIdentities.length === 0)
    return [
      warn('worker', 'not looked at: DPUBOT_AGE_IDENTITY is not set', 'Run doctor where a worker runs to check hosts.'),
    ];
  const sites = config.sites.length > 0 ? config.sites : Object.keys(inventory.sites);
  const served = Object.keys(inventory.hosts).filter((name) => sites.includes(inventory.hosts[name]?.site ?? ''));
  return [
    ...(await checkIdentity(config, inventory, sites)),
    await checkEscrow(config.escrowDirectory),
    ...(await checkCredentials(space, inventory)),
    ...(await checkHosts(config, space, inventory, served)),
    ...(await checkPins(space, inventory, served)),
  ];
}

/** The identity fits a site when it opens what was encrypted to the site's recipient. */
async function checkIdentity(config: CliConfig, inventory: Inventory, sites: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of sites) {
    const site = inventory.sites[name];
    if (!site) {
      findings.push(
        fail('age', `DPUBOT_SITE names ${name}, which the inventory does not have`, 'Correct one of them.'),
      );
      continue;
    }
    const probe = await encryptTo([site.recipient], new Secret('probe')).catch(() => undefined);
    const opened = probe === undefined ? undefined : await decryptWith(config.ageIdentities, probe);
    findings.push(
      opened
        ? ok('age', `the identity opens secrets of site ${name}`)
        : fail(
            'age',
            `the identity does not fit the recipient of site ${name}`,
            'Set the recipient to `age-keygen -y` of the identity.',
          ),
    );
  }
  return findings;
}

async function checkEscrow(directory: string | undefined): Promise<Finding> {
  const next = 'Mount a directory that the worker may write to, and name it in DPUBOT_ESCROW.';
  if (directory === undefined) return fail('escrow', 'DPUBOT_ESCROW is not set', next);
  const probe = join(directory, `.doctor-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(probe, '', { flag: 'wx', mode: 0o600 });
    await unlink(probe);
    return ok('escrow', `${directory} can be written to`);
  } catch {
    return fail('escrow', `${directory} cannot be written to`, next);
  }
}

async function checkCredentials(space: RedisSpace, inventory: Inventory): Promise<Finding[]> {
  const stored = await createCredentialImporter(space, systemClock).list();
  return usedCredentials(inventory).map((ref) => {
    const next = `Run \`dpubot credentials import ${ref} FILE\`.`;
    const entry = stored.find((credential) => credential.ref === ref);
    if (!entry)
      return fail('credential', `${ref} is used by the inventory and not stored (${useOf(inventory, ref)})`, next);
    const unread = sitesUsing(inventory, ref).filter(
      (site) => !entry.recipients.includes(inventory.sites[site]?.recipient ?? ''),
    );
    return unread.length === 0
      ? ok('credential', `${ref} is stored`)
      : fail('credential', `${ref} cannot be read by site ${unread.join(', ')}`, next);
  });
}

async function checkHosts(
  config: CliConfig,
  space: RedisSpace,
  inventory: Inventory,
  hosts: readonly string[],
): Promise<Finding[]> {
  const credentials = createCredentialStore(space, { identities: config.ageIdentities, clock: systemClock });
  const access = createHostAccess({ key: async (ref) => credentials.named(ref), redactor: createRedactor() });
  try {
    const findings: Finding[] = [];
    for (let start = 0; start < hosts.length; start += AT_ONCE) {
      const batch = hosts.slice(start, start + AT_ONCE);
      findings.push(...(await Promise.all(batch.map(async (host) => checkHost(access, inventory, host)))));
    }
    return findings;
  } finally {
    await access.close();
  }
}

async function checkHost(access: HostAccess, inventory: Inventory, name: string): Promise<Finding> {
  const topic = `host ${name}`;
  try {
    const session = await access.open(sliceOf(inventory, name));
    const sudo = await session.run(['sudo', '-n', 'true'], { timeoutMs: SUDO_TIMEOUT_MS });
    return sudo.exitCode === 0
      ? ok(topic, 'SSH with the pinned key, sudo without a password')
      : fail(topic, 'SSH is good, sudo asks for a password', 'Install examples/sudoers on the host.');
  } catch (error) {
    const failure = failureOf(error);
    return fail(topic, `${failure.what} ${failure.why}`, failure.next);
  }
}

async function checkPins(space: RedisSpace, inventory: Inventory, hosts: readonly string[]): Promise<Finding[]> {
  const pins = createPinStore(space, systemClock);
  const unpinned: string[] = [];
  for (const host of hosts)
    for (const dpu of inventory.hosts[host]?.dpus ?? [])
      if (dpu.bmc.certSha256 === undefined && (await pins.get('bmc-certificate', dpu.name)) === undefined)
        unpinned.push(dpu.name);
  if (unpinned.length === 0) return [ok('pins', 'the BMC certificate of every DPU is pinned')];
  const names =
    unpinned.length > 10 ? `${unpinned.slice(0, 10).join(', ')} and ${unpinned.length - 10} more` : unpinned.join(', ');
  return [
    warn(
      'pins',
      `BMC certificates not pinned yet: ${names}`,
      'Nothing to do: the first approved plan of each pins it.',
    ),
  ];
}
