/** A private Redis for a demo or a test run: loopback, a random password, nothing on disk, ended with its script. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { startChild, tail } from './children.mjs';
import { Problem } from './print.mjs';

const startTries = 5;
const startLimitMs = 10_000;

/**
 * Starts the server program behind a guard and waits until it answers.
 *
 * @param {string} program  Path of redis-server or valkey-server.
 * @param {string} folder  Private folder for its configuration and log.
 * @returns {Promise<string>}  Its URL, password included.
 */
export async function startRedis(program, folder) {
  const password = randomBytes(24).toString('base64url');
  const log = join(folder, 'redis.log');
  for (let attempt = 1; attempt <= startTries; attempt += 1) {
    const port = await freePort();
    const config = join(folder, `redis-${port}.conf`);
    // In a file, not in argv: every user of the machine can read the command lines of its processes.
    writeFileSync(
      config,
      [
        'bind 127.0.0.1',
        `port ${port}`,
        `requirepass ${password}`,
        `dir ${JSON.stringify(folder)}`,
        'maxmemory-policy noeviction',
        'save ""',
        'appendonly no',
        'databases 64',
        'loglevel warning',
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const child = startChild('redis', [program, config], { log, env: { PATH: process.env.PATH ?? '' } });
    if (await answers(port, password, child.running)) return `redis://:${password}@127.0.0.1:${port}`;
    // Ended at once: between looking for a free port and using it, another process took it. Try the next one.
  }
  throw new Problem(`A private Redis could not be started with ${program}:\n${tail(log, 10)}`);
}

/** A port of the loopback address that is free right now. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * @param {number} port
 * @param {string} password
 * @param {() => boolean} running
 */
async function answers(port, password, running) {
  const deadline = Date.now() + startLimitMs;
  while (running() && Date.now() < deadline) {
    if (await ping(port, password)) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

/**
 * @param {number} port
 * @param {string} password
 * @returns {Promise<boolean>}
 */
function ping(port, password) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 1_000 });
    let reply = '';
    const end = (/** @type {boolean} */ ok) => {
      socket.destroy();
      resolve(ok);
    };
    socket
      .once('error', () => end(false))
      .once('timeout', () => end(false))
      .once('close', () => resolve(false));
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      if (reply.includes('+PONG')) end(true);
      else if (reply.includes('-')) end(false);
    });
    socket.write(`AUTH ${password}\r\nPING\r\n`);
  });
}
