import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { Processes } from '../../../src/cli/main.ts';
import type { CliIo } from '../../../src/cli/io.ts';
import type { CliConfig } from '../../../src/config.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { sampleText } from '../commands/sample-inventory.ts';

/** Streams of the command line that can be read afterwards. */
export interface TestIo extends CliIo, Processes {
  /** Which process was started with which settings. */
  readonly started: unknown[];
  readonly outLines: string[];
  readonly errLines: string[];
  text(): string;
}

export function testIo(stdin = ''): TestIo {
  const outLines: string[] = [];
  const errLines: string[] = [];
  const started: unknown[] = [];
  return {
    started,
    runBot: async (settings) => Promise.resolve(void started.push(settings)),
    runWorker: async (settings) => Promise.resolve(void started.push(settings)),
    environment: {},
    outLines,
    errLines,
    out: (line) => void outLines.push(line),
    err: (line) => void errLines.push(line),
    readStdin: async () => Promise.resolve(stdin),
    text: () => [...outLines, ...errLines].join('\n'),
  };
}

/** A directory with files, gone after `remove`. */
export function temporaryFiles(): {
  readonly path: string;
  write(name: string, text: string): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'dpubot-cli-'));
  return {
    path,
    write(name, text) {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

const sampleRecipient = /age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p/;

/** The sample inventory for a fresh age identity, and that identity. */
export async function keyedInventory(): Promise<{
  readonly text: string;
  readonly identity: Secret;
  readonly recipient: string;
}> {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  return { text: sampleText.replace(sampleRecipient, recipient), identity: new Secret(identity), recipient };
}

/** Settings of the command line that name nothing. */
export const bareConfig: CliConfig & { readonly redisTag?: string } = {
  logLevel: 'info',
  slackApiUrl: 'https://slack.com/api/',
  ageIdentities: [],
  sites: [],
};
