import type { Deliverer } from './deliverer.ts';
import type { Directory } from './directory.ts';
import type { Faults } from './faults.ts';
import type { Feed } from './feed.ts';
import type { FileStore } from './file-store.ts';
import type { Ids } from './ids.ts';
import type { RateLimits } from './rate-limits.ts';
import type { RequestUrl } from './request-url.ts';
import type { ResponseUrls } from './response-urls.ts';
import type { SocketMode } from './sockets.ts';
import type { Stats } from './stats.ts';
import type { Triggers } from './triggers.ts';
import type { Clock } from './types.ts';
import type { ViewStore } from './view-store.ts';
import type { Workspace } from './workspace.ts';

/** All parts of one pretend Slack, handed to the functions that need several of them. */
export interface Lab {
  clock: Clock;
  ids: Ids;
  directory: Directory;
  feed: Feed;
  workspace: Workspace;
  views: ViewStore;
  files: FileStore;
  triggers: Triggers;
  responseUrls: ResponseUrls;
  sockets: SocketMode;
  requestUrl: RequestUrl;
  deliverer: Deliverer;
  stats: Stats;
  faults: Faults;
  limits: RateLimits;
  tokens: { bot: string; app: string; verification: string; signing: string };
  /** Timestamp of the newest message that a person has seen, by `<user> <channel>`. */
  readUpTo: Map<string, string>;
  /** `http://127.0.0.1:PORT`, known once the server listens. */
  origin: string;
}
