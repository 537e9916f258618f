/**
 * `bfb-install`: pushes an image through a local rshim and shows the card's log until it reboots.
 *
 * Source: Mellanox/rshim-user-space scripts/bfb-install v2.8 (order of output, exits, its exit code that proves nothing);
 * pv 1.6.6 output on a terminal.
 */
import { advanceCard } from '../card-clock.ts';
import { beginPush, endPush } from '../install/flash.ts';
import { imageBySha256 } from '../install/images.ts';
import { programInstalled } from '../packages/of-machine.ts';
import { complain, out } from '../shell/descriptors.ts';
import { waitFor } from '../shell/subshells.ts';
import type { Descriptor, Frame, Program, Steps } from '../shell/types.ts';
import { cardFault, useCardFault } from '../state.ts';
import type { CardState } from '../state.ts';
import { look, at } from '../tools/file-tools.ts';
import { parseOptions } from '../tools/options.ts';
import { rshimDevices } from '../tools/rshim.ts';

const usage = `Usage: bfb-install [options]
Options:
  -a, --apply-lfwp <0|1>         Apply LFWP
  -b, --bfb <bfb_file>           BFB image file to use
  -c, --config <config_file>     Optional configuration file
  -d, --deferred                 Deferred activation
  -f, --rootfs <rootfs_file>     Optional rootfs file
  -h, --help                     Show help message
  -k, --keep-log                 Do not clear the log after reading
  -m, --remote-mode <scp|nc|ncpipe>  Remote mode to use
  -p, --pldm <file>              PLDM image
  -r, --rshim <device>           Rshim device, format [<ip>:<port>:]rshim<N>
  -R, --reverse-nc               Reverse netcat mode
  -u, --runtime                  Runtime upgrade
  -v, --verbose                  Enable verbose output
`;

/** How often the log is read, in device time. */
const lookEveryMs = 1000;

function amount(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < 3; unit += 1) value /= 1024;
  const text =
    unit === 0
      ? String(Math.round(value))
      : value >= 100
        ? value.toFixed(0)
        : value >= 10
          ? value.toFixed(1)
          : value.toFixed(2);
  return `${text.padStart(4)}${units[unit] ?? ''}`;
}

/** One line of pv: `1.41GiB 0:02:02 [11.7MiB/s] [   <=>   ]`. */
function pvLine(bytes: number, elapsedMs: number, rate: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  const clock = `${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
  const place = seconds % 30;
  return `${amount(bytes)} ${clock} [${amount(rate)}/s] [${' '.repeat(place)}<=>${' '.repeat(30 - place)}]`;
}

interface Push {
  card: CardState;
  device: string;
  bytes: number;
  sha256: string;
  config: string;
}

/** The bytes go over; true when all of them arrived. */
function* pushBytes(frame: Frame, push: Push): Steps<boolean> {
  const { rack } = frame;
  const { card } = push;
  const key = `${card.name} boot`;
  const open = `/usr/sbin/bfb-install: line 583: /dev/${push.device}/boot: `;
  if (rack.locks.has(key) || cardFault(rack, card, 'rshim-stuck')) {
    complain(frame, `${open}Device or resource busy\n`);
    return false;
  }
  if (card.rshim.dropMode) {
    complain(frame, `${open}Invalid argument\n`);
    return false;
  }
  rack.locks.add(key);
  const dies = useCardFault(rack, card, 'push-dies');
  const showsProgress = programInstalled(frame.machine, 'pv') && frame.descriptors.get(2)?.tty === true;
  try {
    beginPush(rack, card);
    const startMs = rack.nowMs();
    const totalMs = rack.state.delays.pushMs;
    const stopMs = dies ? totalMs * 0.4 : totalMs;
    for (;;) {
      const elapsedMs = Math.min(rack.nowMs() - startMs, stopMs);
      const sent = Math.floor((push.bytes * elapsedMs) / totalMs);
      if (showsProgress)
        complain(frame, `${elapsedMs === 0 ? '' : '\r'}${pvLine(sent, elapsedMs, (push.bytes / totalMs) * 1000)}`);
      if (elapsedMs >= stopMs) break;
      yield { untilMs: Math.min(rack.nowMs() + lookEveryMs, startMs + stopMs) };
    }
    if (showsProgress) complain(frame, '\n');
    if (dies) {
      yield { untilMs: rack.nowMs() + 300_000 };
      complain(frame, `${showsProgress ? 'pv: write failed' : 'cat: write error'}: Connection timed out\n`);
      return false;
    }
    endPush(rack, card, imageBySha256(push.sha256), push.config);
    return true;
  } finally {
    rack.locks.delete(key);
  }
}

/** Shows the log until the card reboots; without a card that does, it never ends. */
function* collect(frame: Frame, card: CardState): Steps<void> {
  const { rack } = frame;
  out(frame, 'Collecting BlueField booting status. Press Ctrl+C to stop…\n'.replace('…', '\u00e2\u0080\u00a6'));
  card.rshim.displayLevel = 2;
  card.rshim.clearOnRead = true;
  const nic = card.mode.current === 'nic';
  const last = nic
    ? /In Enhanced NIC mode/
    : /Rebooting\.\.\.$|DPU is ready|Linux up|CRITICAL ERROR|In Enhanced NIC mode/;
  try {
    for (;;) {
      advanceCard(rack, card);
      // A reader of misc may have taken lines meanwhile: what is gone is gone.
      const lines = cardFault(rack, card, 'rshim-stuck') ? [] : card.rshim.log.splice(0);
      for (const line of lines) out(frame, `${line}\n`);
      if (lines.some((line) => last.test(line) && !line.includes('Rebooting BMC'))) return;
      yield { untilMs: rack.nowMs() + lookEveryMs };
    }
  } finally {
    card.rshim.clearOnRead = false;
  }
}

function refuse(frame: Frame, text: string, withUsage = false): number {
  out(frame, `${text}\n${withUsage ? usage : ''}`);
  return 1;
}

/** The program: a script, so that others see it as a process of bash. */
export const bfbInstall: Program = function* program(frame, args) {
  const { scheduler } = frame.rack;
  const { machine, user } = frame;
  const argv = ['/bin/bash', '/usr/sbin/bfb-install', ...args];
  const descriptors = (): Descriptor[] => [...frame.descriptors.values()];
  const running = scheduler.start({ machine, argv, user, parent: frame.process, descriptors }, (process) =>
    install({ ...frame, process }, args),
  );
  try {
    return yield* waitFor(running);
  } finally {
    scheduler.kill(running, 'TERM');
  }
};

function* install(frame: Frame, args: string[]): Steps<number> {
  const options = parseOptions(frame, 'bfb-install', args, {
    flags: 'd deferred=d h help=h k keep-log=k R reverse-nc=R u runtime=u v verbose=v',
    values: 'a apply-lfwp=a b bfb=b c config=c f rootfs=f m remote-mode=m p pldm=p r rshim=r',
  });
  if (options === null) return 1;
  if (options.flags.has('h')) {
    out(frame, usage);
    return 0;
  }
  const { b: bfb, c: config, r: device, m: mode, p: pldm } = options.values;
  if (bfb === undefined && pldm === undefined)
    return refuse(frame, 'Error: Need to provide either bfb or pldm file.', true);
  if (device === undefined) return refuse(frame, 'Error: Need to provide rshim device name.', true);
  for (const path of [bfb, config])
    if (path !== undefined && look(frame, path) === null) return refuse(frame, `Error: ${path} not found.`);
  if (mode !== undefined && !device.includes(':'))
    return refuse(frame, 'Error: Remote mode is not supported for local rshim.');
  out(frame, 'Checking if local host has root access...\n');
  if (!frame.root) return refuse(frame, 'Error: current login does not have sudo');
  const { host, files } = frame.machine;
  const index = Number(/^rshim(\d+)$/.exec(device)?.[1] ?? '-1');
  const card = host === null ? undefined : rshimDevices(frame.rack, host)[index];
  if (card === undefined) return refuse(frame, `Error: /dev/${device} is not a valid rshim device.`);
  out(frame, 'Checking if rshim driver is running locally...\n');
  if (!programInstalled(frame.machine, 'pv'))
    out(frame, "Warn: 'pv' command not found. Continue without showing BFB progress.\n");
  const place = card.hardware.pcie.address;
  if (card.mode.current === 'nic')
    out(frame, `${device} (${place.slice(0, 7)}) is in NIC mode\nUnbinding pf0 (${place}.0)\n`);
  out(frame, config === undefined ? 'Pushing bfb\n' : 'Pushing bfb + cfg\n');
  const path = at(frame, bfb ?? '');
  const node = files.get(path, frame);
  yield* counted(card, function* pushAndShow() {
    const pushed = yield* pushBytes(frame, {
      card,
      device,
      bytes: files.size(node),
      sha256: files.sha256(path, frame),
      config: config === undefined ? '' : files.read(at(frame, config), frame),
    });
    if (!pushed) out(frame, 'Error: Failed to push boot stream via local rshim\n');
    // The log of this run stands beside whatever the caller did with the output.
    yield* collect(loggedFrame(frame, `/tmp/bfb-install-${device}.log`), card);
  });
  return 0;
}

/** Counts it as one run of the tool, however it ends. */
function* counted(card: CardState, run: () => Steps<void>): Steps<void> {
  const { pushes } = card;
  pushes.begun += 1;
  pushes.running += 1;
  pushes.most = Math.max(pushes.most, pushes.running);
  try {
    yield* run();
  } finally {
    pushes.running -= 1;
  }
}

function loggedFrame(frame: Frame, path: string): Frame {
  const { files } = frame.machine;
  const root = { user: 'root', root: true };
  files.write(path, '', root);
  const screen = frame.descriptors.get(1);
  const descriptors = new Map(frame.descriptors);
  if (screen !== undefined) {
    descriptors.set(1, {
      ...screen,
      write: (text) => {
        if (files.find(path) !== null) files.write(path, text, root, { append: true });
        return screen.write(text);
      },
    });
  }
  return { ...frame, descriptors };
}
