import type { ArtefactStore } from '../../../src/domain/artefacts.ts';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { OutboxStore } from '../../../src/domain/ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import { createFilePort } from '../../../src/slack/file-client.ts';
import type { OutboxDeps } from '../../../src/slack/outbox.ts';
import { runOutbox } from '../../../src/slack/outbox.ts';
import { createMemoryArtefactStore } from '../../support/memory/looks.ts';
import { createMemoryOutboxStore, createMemoryRecipientStore } from '../../support/memory/outbox.ts';
import { quiet } from './setup.ts';

/** A run as it is now, and what outlives a publisher. */
export interface Published {
  readonly run: Run;
  readonly plans: readonly UnitPlan[];
  readonly entries: readonly JournalEntry[];
  readonly store?: OutboxStore;
  readonly artefacts?: Pick<ArtefactStore, 'get'>;
  /** Who is told in person that it waits for approval; nobody when missing. */
  readonly approvers?: readonly string[];
}

export const wallClock = { nowMs: () => Date.now() };

/** Publishes one run to a pretend Slack until the function it gives is called. A test may replace ports. */
export function publish(
  slack: RunningChat,
  { run, plans, entries, store, artefacts, approvers }: Published,
  ports: Partial<Pick<OutboxDeps, 'chat' | 'files'>> = {},
): () => Promise<void> {
  const access = { botToken: slack.botToken, apiUrl: slack.apiUrl };
  const ending = new AbortController();
  const running = runOutbox(
    {
      chat: createChatPort(access),
      files: createFilePort(access),
      artefacts: artefacts ?? createMemoryArtefactStore(),
      store: store ?? createMemoryOutboxStore(wallClock),
      runs: {
        get: async () => run,
        open: async () => (isEnded(run.state) ? [] : [run.id]),
        recent: async () => [run],
        plan: async (_, unit, hash) => plans.find((plan) => plan.unit === unit && plan.hash === hash),
      },
      journal: {
        read: async (_, unit, afterId) => (afterId === undefined ? entries.filter((e) => e.unit === unit) : []),
      },
      progress: { get: async () => undefined },
      notifier: { subscribe: async () => async () => undefined },
      clock: wallClock,
      log: quiet,
      workspace: slack.team.id,
      owner: 'contract-test',
      ...(approvers && {
        direct: { approversOf: async () => approvers, recipients: createMemoryRecipientStore() },
      }),
      timing: { pollMs: 100, lookupGapMs: 200, maxBackoffMs: 500 },
      ...ports,
    },
    ending.signal,
  );
  return async () => {
    ending.abort();
    await running;
  };
}
