/**
 * A guard between a script and one long-running child: `node scripts/child.mjs GRACE_MS COMMAND [ARG...]`.
 *
 * It ends its child when its own standard input closes, which happens when the script asks for it and also when the
 * script is killed outright (SIGKILL leaves no chance to clean up, but the kernel closes the pipe). The script starts it
 * as the leader of a process group of its own, so Ctrl-C in a terminal reaches the script only, and the order in which
 * the children end stays the script's decision.
 */
import { spawn } from 'node:child_process';

const [graceText = '', command, ...args] = process.argv.slice(2);
const graceMs = Number(graceText);
if (command === undefined || !Number.isFinite(graceMs)) {
  process.stderr.write('usage: node scripts/child.mjs GRACE_MS COMMAND [ARG...]\n');
  process.exit(2);
}

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let ending = false;

function end() {
  if (ending) return;
  ending = true;
  child.kill('SIGTERM');
  setTimeout(endGroup, graceMs).unref();
}

/** The group is ours alone: whatever the child has started and left behind goes with it, and this guard too. */
function endGroup() {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Started by hand, so not the leader of a group: then only the child itself is ours to end.
    child.kill('SIGKILL');
  }
}

child.once('error', (error) => {
  process.stderr.write(`cannot start ${command}: ${error.message}\n`);
  process.exit(127);
});
child.once('exit', (code, signal) => {
  if (ending) endGroup();
  process.exit(signal === null ? (code ?? 1) : 128);
});
process.stdin.once('end', end).once('close', end).once('error', end).resume();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, end);
