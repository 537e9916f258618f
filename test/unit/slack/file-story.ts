import type { ArtefactRef } from '../../../src/domain/artefacts.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import type { Run } from '../../../src/domain/run.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { ana, journal, run, START_MS, unit } from '../report/samples.ts';
import type { World } from './world.ts';

export const CONSOLE = { name: 'console.txt', mimeType: 'text/plain', content: new TextEncoder().encode('login: ') };
export const CHART = {
  name: 'chart.png',
  mimeType: 'image/png',
  content: new TextEncoder().encode('not really a picture'),
  altText: 'Throughput rises to 390 Gbit/s',
};

/** The file of a run as its journal refers to it. */
export function refOf({ content, ...about }: typeof CONSOLE & { readonly altText?: string }): ArtefactRef {
  return { id: `id-of-${about.name}`, bytes: content.byteLength, ...about };
}

/** An ended run whose thread is one snippet for each file, and the end. */
export function runWithFiles(...files: readonly ArtefactRef[]): {
  readonly run: Run;
  readonly entries: JournalEntry[];
} {
  const ended = { state: 'done', summary: 'All done.' } as const;
  const entries = journal(
    [RUN_STREAM, { type: 'run-created', by: ana, text: 'console as7' }],
    ...files.map(
      (file) =>
        [
          'as7',
          { type: 'snippet', step: 'read', target: 'as7-dpu0', title: `End of ${file.name}`, text: 'login:', file },
        ] as const,
    ),
    [RUN_STREAM, { type: 'run-ended', ...ended }],
  );
  const made = run({ ...ended, endedAtMs: START_MS + 5000, units: { as7: unit('as7', { state: 'done' }) } });
  return { run: made, entries };
}

/** Puts the run into the world, with the content of its files unless it is said to have expired. */
export async function putFiles(world: World, files: readonly (typeof CONSOLE)[]): Promise<readonly string[]> {
  const refs = await Promise.all(files.map(async (file) => world.artefacts.put(418, file)));
  const story = runWithFiles(...refs);
  world.put(story.run, [], story.entries);
  return postsOf(story.run, [], story.entries).map((post) => post.key);
}

/** What a message shows, as text. */
export function shown(world: World, key: string | undefined): string {
  const posted = world.chat.withKey(key ?? '')[0];
  return posted === undefined ? '' : plainText(posted.message);
}
