#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { runCli } from './cli/main.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  readStdin: async () => text(process.stdin),
  // Loaded when asked for: a worker never loads Slack's code, a bot never loads SSH's.
  runBot: async (settings) => (await import('./bot.ts')).runBot(settings),
  runWorker: async (settings) => (await import('./worker.ts')).runWorker(settings),
});
