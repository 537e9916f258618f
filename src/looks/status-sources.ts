import type { CardFact, CardFactName, UnreadFact } from '../domain/card-facts.ts';
import { defaultMinPcieLink, findSku, pcieText } from '../domain/part-numbers.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readArmImage } from '../facts/card-image.ts';
import { readBmcLan } from '../facts/bmc-lan.ts';
import { readCardChassis } from '../facts/card-chassis.ts';
import { readDpuMode } from '../facts/dpu-mode.ts';
import type { InventoryItem } from '../facts/firmware-inventory.ts';
import { readFirmwareVersions } from '../facts/firmware-inventory.ts';
import { readNicFirmware } from '../facts/nic-firmware.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { findRshim, readRshims, silentRshim } from '../facts/rshim.ts';
import { readRshimSettings } from '../facts/rshim-owner.ts';
import { readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { armSession } from '../steps/arm-session.ts';
import { openOwnBmc } from './own-bmc.ts';
import { pciCardOf } from './probes/card.ts';

/** What one source says of a card, and what it should have said and could not. */
export interface Seen {
  readonly facts: Partial<Record<CardFactName, CardFact>>;
  readonly unread: Partial<Record<CardFactName, UnreadFact>>;
  /** The first that went wrong. */
  readonly failure?: OpsError | undefined;
}

type Source = CardFact['from'];

/** Gathers the answers of one source. Each question may fail alone. */
class Answers implements Seen {
  readonly facts: Partial<Record<CardFactName, CardFact>> = {};
  readonly unread: Partial<Record<CardFactName, UnreadFact>> = {};
  failure: OpsError | undefined;
  readonly #context: ObserveContext;
  readonly #from: Source;

  constructor(context: ObserveContext, from: Source) {
    this.#context = context;
    this.#from = from;
  }

  put(name: CardFactName, value: string, warning?: string): void {
    const atMs = this.#context.clock.nowMs();
    this.facts[name] = { value, from: this.#from, atMs, ...(warning !== undefined && { warning }) };
  }

  /** Reads something that answers these questions; a failure is the reason why they stay open. */
  async ask<T>(names: readonly CardFactName[], read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (this.#context.signal.aborted) this.miss(names, 'It had not answered when the look ended.');
      else if (error instanceof OpsError) {
        this.failure ??= error;
        this.miss(names, reasonOf(error));
      } else throw error;
      return undefined;
    }
  }

  /** Says why these questions stay open. */
  miss(names: readonly CardFactName[], reason: string): void {
    for (const name of names) this.unread[name] = { reason, atMs: this.#context.clock.nowMs() };
  }
}

const askedOfHost: readonly CardFactName[] = [
  'part-number',
  'serial',
  'pcie-link',
  'nic-firmware-running',
  'nic-firmware-staged',
  'rshim-owner',
];

/** A cell of a table takes no more. */
const reasonMax = 190;

/** What, why and what to do next; where that is too long for a cell, without the why. */
function reasonOf({ failure: { what, why, next } }: OpsError): string {
  const whole = `${what} ${/[.!?]$/.test(why) ? why : `${why}.`} ${next}`;
  return whole.length <= reasonMax ? whole : `${what} ${next}`.slice(0, 300);
}

/** Part number, serial and link from lspci, firmware from MFT, owner of the rshim. */
export async function fromHost(context: ObserveContext): Promise<Seen> {
  const { host, dpu, signal, profile } = context;
  const seen = new Answers(context, 'host');
  const card = await seen.ask(askedOfHost, async () => pciCardOf(context));
  if (card === undefined) return seen;
  seen.put('part-number', partNumberText(card.partNumber), skuWarning(card.partNumber));
  seen.put('serial', card.serial);
  seen.put('pcie-link', pcieText(card.link), linkWarning(card, profile.minPcieLink));
  const firmware = await seen.ask(['nic-firmware-running', 'nic-firmware-staged'], async () =>
    readNicFirmware(host, dpu.name, card.pciAddress, signal),
  );
  if (firmware) {
    const { running, staged } = firmware;
    seen.put('nic-firmware-running', running);
    const warning = running === staged ? undefined : 'It waits for a cold power cycle of the host.';
    seen.put('nic-firmware-staged', staged, warning);
  }
  await seen.ask(['rshim-owner'], async () => {
    const devices = await readRshims(host, signal);
    const rshim = findRshim(host.name, devices, card);
    const silent = rshim === undefined ? silentRshim(devices) : undefined;
    if (silent !== undefined) throw errors.rshimStuck({ target: dpu.name, host: host.name, seen: silent });
    if (rshim !== undefined && !rshim.misc.dropMode) seen.put('rshim-owner', `host (${rshim.name})`);
  });
  return seen;
}

function partNumberText(partNumber: string): string {
  const sku = findSku(partNumber);
  return sku === undefined ? partNumber : `${partNumber} (${sku.model})`;
}

function skuWarning(partNumber: string): string | undefined {
  const sku = findSku(partNumber);
  if (sku === undefined) return 'This part number is in no list.';
  if (sku.class === 'controller') return 'A self-hosted controller, not a DPU.';
  return sku.crypto === false ? 'No crypto engines: IPsec cannot be offloaded to it.' : undefined;
}

function linkWarning(card: PciCard, wished: PciCard['link'] | undefined): string | undefined {
  const sku = findSku(card.partNumber);
  const wanted = wished ?? (sku && defaultMinPcieLink(sku));
  const isDown = card.link.gtPerS < card.capable.gtPerS || card.link.width < card.capable.width;
  if (wanted !== undefined && (card.link.gtPerS < wanted.gtPerS || card.link.width < wanted.width))
    return `Wanted is ${pcieText(wanted)}${isDown ? '; the card itself could do more, so slot, riser or BIOS limits it' : ''}.`;
  return isDown ? `The card could do ${pcieText(card.capable)}.` : undefined;
}

const askedOfBmc: readonly CardFactName[] = [
  'part-number',
  'serial',
  'mode',
  'secure-boot',
  'image',
  'nic-firmware-running',
  'bmc-firmware',
  'rshim-owner',
  'arm-state',
];

const versionFacts: readonly (readonly [CardFactName, InventoryItem])[] = [
  ['image', 'DPU_OS'],
  ['bmc-firmware', 'BMC_Firmware'],
  ['nic-firmware-running', 'DPU_NIC'],
];

/**
 * Mode, Secure Boot, versions and boot progress, with the password that is filed as current and no other. `ofHost`: what the
 * host has said; whether it has the rshim only that knows.
 */
export async function fromBmc(context: ObserveContext, ofHost: Seen): Promise<Seen> {
  const { signal } = context;
  const seen = new Answers(context, 'bmc');
  const opened = await seen.ask(askedOfBmc, async () => openOwnBmc(context));
  if (opened === undefined) return seen;
  const { system } = opened;
  const { session } = opened.login;
  seen.put('serial', system.serial);
  const paused = system.powerState === 'Paused' ? 'It stands in the UEFI shell.' : undefined;
  seen.put('arm-state', `${system.bootState}, power ${system.powerState}`, paused);
  await seen.ask(['mode'], async () => seen.put('mode', modeText(await readDpuMode(session, signal))));
  await seen.ask(['secure-boot'], async () =>
    seen.put('secure-boot', secureBootText(await readSecureBoot(session, signal))),
  );
  await seen.ask(['part-number'], async () => {
    const { partNumber } = await readCardChassis(session, signal);
    if (partNumber !== undefined) seen.put('part-number', partNumberText(partNumber), skuWarning(partNumber));
  });
  await seen.ask(['image', 'bmc-firmware', 'nic-firmware-running'], async () => {
    const versions = await readFirmwareVersions(session, signal);
    for (const [name, item] of versionFacts) {
      const version = versions.get(item);
      // What the BMC was not told of is empty: in NIC mode, and before a system has been up.
      if (version?.kind === 'version' && version.text !== '') seen.put(name, version.text);
    }
  });
  await seen.ask(['rshim-owner'], async () => {
    const { bmcEnabled, host } = await readRshimSettings(session, signal);
    const silence = ofHost.unread['rshim-owner']?.reason;
    if (bmcEnabled) seen.put('rshim-owner', 'BMC');
    else if (silence === undefined) seen.put('rshim-owner', `nobody (BMC rshim off, host rshim ${host})`);
    else seen.put('rshim-owner', `not the BMC (BMC rshim off, host rshim ${host})`, silence);
  });
  return seen;
}

/** As people call it. */
export function modeText(mode: 'dpu' | 'nic'): string {
  return mode === 'dpu' ? 'DPU mode' : 'NIC mode';
}

/** The release that the Arm itself names, with dpubot's mark, and the address of the BMC where the inventory has none. */
export async function fromArm(context: ObserveContext): Promise<Seen> {
  const { dpu, signal } = context;
  const seen = new Answers(context, 'arm');
  const names: CardFactName[] = dpu.bmc.address === 'auto' ? ['image', 'bmc-address'] : ['image'];
  if (context.profile.arm === undefined) {
    seen.miss(names, 'The profile has no login on the Arm.');
    return seen;
  }
  const arm = await seen.ask(names, async () => armSession(context));
  if (arm === undefined) return seen;
  await seen.ask(['image'], async () => {
    const { marker, release } = await readArmImage(arm, signal);
    if (release !== undefined) seen.put('image', marker === undefined ? release : `${marker.image} (${release})`);
  });
  if (dpu.bmc.address !== 'auto') return seen;
  await seen.ask(['bmc-address'], async () => {
    const lan = await readBmcLan(arm, signal);
    if (lan.state === 'address') seen.put('bmc-address', `${lan.address} (asked over the Arm)`);
    if (lan.state === 'no-driver') seen.miss(['bmc-address'], 'The Arm has no IPMI driver loaded (ipmi_devintf).');
    if (lan.state === 'no-lease') seen.put('bmc-address', 'none', 'No DHCP server has given it a lease.');
  });
  return seen;
}

/** What needs no question to the card: addresses of the inventory, and the one that was found earlier. */
export async function fromRecord(context: ObserveContext): Promise<Seen> {
  const { dpu, card, records } = context;
  const seen = new Answers(context, 'record');
  const { bmc, arm } = dpu;
  const found = card.serial === undefined ? undefined : (await records.get(card.serial))?.bmcAddress;
  if (bmc.address !== 'auto') seen.put('bmc-address', bmc.address);
  else if (found !== undefined) seen.put('bmc-address', `${found} (found earlier)`);
  seen.put('arm-address', arm?.address ?? 'through its host (tmfifo)');
  return seen;
}
