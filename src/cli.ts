#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { exitCodes } from './cli/io.ts';
import { runCli } from './cli/main.ts';

const code = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  readStdin: async () => text(process.stdin),
  // Loaded when asked for: a worker never loads Slack's code, a bot never loads SSH's.
  runBot: async (settings) => (await import('./bot.ts')).runBot(settings),
  runWorker: async (settings) => (await import('./worker.ts')).runWorker(settings),
});

// Connections of a process that could not start would keep it alive as a bot or worker that does nothing.
if (code === exitCodes.good) process.exitCode = code;
else process.exit(code);
