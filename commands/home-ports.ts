import type { OutboxStore, Person } from '../src/domain/ports.ts';
import type { HomeLock } from '../src/report/home-model.ts';
import type { CommandContext } from './define.ts';

/** What Home reads: the ports of commands, and what the publisher has posted of each run. */
export interface HomePorts extends CommandContext {
  /** Hosts that people have locked, where that can be asked. */
  readonly locked?: () => Promise<readonly HomeLock[]>;
  readonly posts: Pick<OutboxStore, 'all'>;
  /** Address of the workspace's page, with a slash at the end: links to messages begin with it. */
  readonly workspaceUrl: string;
}

/** Who looks at Home, as far as it was read for this drawing. */
export interface HomeReader {
  readonly ports: HomePorts;
  readonly person: Person;
  readonly roles: readonly string[];
  readonly mayOperate: boolean;
}
