/**
 * The lab in one process: pretend rack, pretend Slack, an inventory that fits them, and switches over HTTP. Run as
 * `node --import tsx src/lab/main.ts --dir DIR --recipient age1... [--time-factor 120] [--ssh-key FILE.pub]
 * [--hosts 2 [--whole]]`. Without `--hosts`: rack1 and rack2, factory-fresh, with everything wanted of them. With it: so
 * many prepared hosts of which BMC password and Secure Boot are wanted, or (`--whole`) factory-fresh ones and everything.
 * Prints one line of JSON when everything listens. Ends on SIGTERM, SIGINT, or when the process that started it is gone.
 */
import { fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Fault, type FaultName, faultNames } from './chat/faults.ts';
import { type RunningChat, startChat } from './chat/server.ts';
import { type FaultRequest, type RunningControl, startControl } from './control.ts';
import { labInventory, type LabHost } from './inventory.ts';
import { comparableSnapshot } from './rack/comparable.ts';
import type { RackLayout } from './rack/layout.ts';
import { hostBmcPassword, rack1, wideRack } from './rack/layouts.ts';
import { rack2 } from './rack/rack2.ts';
import { type RunningRack, startRack } from './rack/server.ts';
import { ipsecSharedKey, tailscaleAuthKey, writeImages } from './wanted.ts';

const credentials = { ssh: 'ssh-ops', hostBmc: 'host-bmc', tailscale: 'tailscale', ipsecPsk: 'ipsec-psk' } as const;
/** If something does not close, the process ends all the same. */
const closeLimitMs = 3_000;
const yearMs = 365 * 24 * 3_600_000;

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    recipient: { type: 'string' },
    'time-factor': { type: 'string', default: '120' },
    'ssh-key': { type: 'string' },
    hosts: { type: 'string' },
    whole: { type: 'boolean', default: false },
  },
});

await main();

async function main(): Promise<void> {
  const { dir, recipient } = values;
  const timeFactor = Number(values['time-factor']);
  if (dir === undefined || recipient === undefined || !(timeFactor >= 1)) {
    process.stderr.write('usage: main.ts --dir DIR --recipient age1... [--time-factor 120] [--ssh-key FILE.pub]\n');
    process.exitCode = 2;
    return;
  }
  const layouts = wantedLayouts();
  const authorizedKeys = values['ssh-key'] === undefined ? [] : [readFileSync(values['ssh-key'], 'utf8').trim()];
  const rack = await startRack({ dir: join(dir, 'rack'), timeFactor, layouts, authorizedKeys });
  const chat = await startChat();
  const control = await startControl({
    state: () => rack.snapshot(),
    comparable: () => comparableSnapshot(rack.snapshot()),
    lines: () => rack.lines(),
    faults: () => ({ rack: rack.faults(), chat: chat.faults() }),
    setFault: (fault) => setFault(rack, chat, fault),
    clearFault: (name, target) => clearFault(rack, chat, name, target),
    rebootHost: (name) => rack.model.host(name).warmReboot(),
    powerCycleHost: (name) => rack.model.host(name).powerCycle(),
    unplugHost: (name) => rack.model.host(name).loseLink(yearMs),
  });
  const inventory = resolve(dir, 'inventory.yaml');
  writeFileSync(inventory, inventoryText(recipient, dir, layouts, rack, chat));
  endWithParent(rack, chat, control);
  process.stdout.write(`${readyLine(inventory, timeFactor, { rack, chat, control })}\n`);
}

function wantedLayouts(): RackLayout[] {
  if (values.hosts === undefined) return [rack1({ factoryFresh: true }), rack2()];
  return [wideRack(Number(values.hosts), { factoryFresh: values.whole })];
}

/** One line, for the process that started the lab. The tokens open nothing but this pretend Slack. */
function readyLine(
  inventory: string,
  timeFactor: number,
  running: { readonly rack: RunningRack; readonly chat: RunningChat; readonly control: RunningControl },
): string {
  const { url, apiUrl, botToken, appToken, signingSecret, seed } = running.chat;
  return JSON.stringify({
    ready: true,
    inventory,
    timeFactor,
    control: running.control.url,
    chat: { url, apiUrl, botToken, appToken, signingSecret, seed },
    hosts: running.rack.hosts,
    // Passwords of pretend devices: whoever started the lab files them for the worker.
    credentials: {
      [credentials.hostBmc]: hostBmcPassword,
      [credentials.tailscale]: tailscaleAuthKey,
      [credentials.ipsecPsk]: ipsecSharedKey,
    },
  });
}

function inventoryText(
  recipient: string,
  dir: string,
  layouts: readonly RackLayout[],
  rack: RunningRack,
  chat: RunningChat,
): string {
  const hosts = rack.hosts.map(({ name, ssh, bmc, dpus }): LabHost => ({
    name,
    rack: layouts.find((layout) => layout.hosts.some((host) => host.name === name))?.name ?? 'rack1',
    ssh: { address: ssh.address, port: ssh.port, user: ssh.user, hostKeys: [ssh.hostKeySha256] },
    bmc,
    cards: dpus,
  }));
  const whole = values.hosts === undefined || values.whole;
  const imageFolder = resolve(dir, 'images');
  if (whole) writeImages(imageFolder);
  return labInventory({
    recipient,
    hosts,
    links: layouts.flatMap(cablesOf),
    groups: {
      operators: groupId(chat, 'dpu-operators'),
      approvers: groupId(chat, 'dpu-approvers'),
      admins: groupId(chat, 'dpu-admins'),
    },
    credentials,
    ...(whole && { whole: { imageFolder } }),
  });
}

/** Each cable once: the layout names it at both ends. */
function cablesOf(layout: RackLayout): [string, string][] {
  const ends = layout.hosts
    .flatMap((host) => host.cards)
    .flatMap((card) =>
      Object.entries(card.links).map(([port, far]): [string, string] => [`${card.name}/${port}`, far]),
    );
  return ends.filter(([near, far]) => near < far);
}

function groupId(chat: RunningChat, handle: string): string {
  const group = chat.groups.find((one) => one.handle === handle);
  if (group === undefined) throw new Error(`The pretend Slack has no user group ${handle}.`);
  return group.id;
}

function isChatFault(name: string): name is FaultName {
  return (faultNames as readonly string[]).includes(name);
}

/** Faults of the chat need more than a name where they concern one method: those strike the posting of messages. */
function chatFault(name: FaultName, uses: number | undefined): Fault {
  const times = uses === undefined ? {} : { times: uses };
  const method = 'chat.postMessage';
  switch (name) {
    case 'slow':
      return { fault: name, method, delayMs: 2_000, ...times };
    case 'api-error':
    case 'lost-reply':
      return { fault: name, method, times: uses ?? 1 };
    case 'rate-limit-now':
      return { fault: name, times: uses ?? 1 };
    case 'slack-down':
    case 'socket-disconnect':
    case 'socket-refresh':
      return { fault: name };
    case 'duplicate':
      return { fault: name, ...times };
  }
}

function setFault(rack: RunningRack, chat: RunningChat, { name, target, uses }: FaultRequest): void {
  if (isChatFault(name)) {
    chat.setFault(chatFault(name, uses));
    return;
  }
  rack.injectFault(name, { ...(target !== undefined && { target }), ...(uses !== undefined && { uses }) });
}

function clearFault(rack: RunningRack, chat: RunningChat, name: string, target: string | undefined): void {
  if (isChatFault(name)) chat.clearFault(name);
  else rack.clearFault(name, target);
}

function endWithParent(rack: RunningRack, chat: RunningChat, control: RunningControl): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), closeLimitMs).unref();
    Promise.all([rack.saveState(), control.close(), chat.close(), rack.close()]).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', end).once('SIGINT', end).once('disconnect', end);
  // A pipe that closes means its other end is gone; /dev/null and a terminal say nothing about the parent.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.once('end', end).once('error', end).resume();
}
