import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { standardRedeliveryDelaysMs, startAppEvents } from './app-events.ts';
import { Deliverer } from './deliverer.ts';
import { Directory, type DirectoryOptions } from './directory.ts';
import { type Fault, type FaultName, Faults } from './faults.ts';
import { Feed, type WaitOptions } from './feed.ts';
import { FileStore } from './file-store.ts';
import { createLabServer } from './http-server.ts';
import { createRandom, Ids } from './ids.ts';
import type { Lab } from './lab.ts';
import {
  deleteMessage,
  messages,
  openHome,
  press,
  type Press,
  type PressResult,
  say,
  type Say,
  type SayResult,
} from './person.ts';
import { type Account, type Membership, setAccount, setMembership } from './membership.ts';
import { closeView, submitView, type SubmitResult, type SubmitView, viewsOf } from './person-views.ts';
import { RateLimits } from './rate-limits.ts';
import { RequestUrl } from './request-url.ts';
import { ResponseUrls } from './response-urls.ts';
import { SocketMode } from './sockets.ts';
import { type ChatStats, Stats } from './stats.ts';
import { clearFault, setFault } from './switch-fault.ts';
import { Triggers } from './triggers.ts';
import type {
  ChatEvent,
  Clock,
  LabApp,
  LabChannel,
  LabGroup,
  LabTeam,
  LabUser,
  ViewObject,
  VisibleMessage,
} from './types.ts';
import { ViewStore } from './view-store.ts';
import { Workspace } from './workspace.ts';

export interface ChatOptions extends DirectoryOptions {
  /** 0 or left out = a free port. */
  port?: number;
  clock?: Clock;
  /** How long an acknowledgement may take; Slack's three seconds. */
  ackTimeoutMs?: number;
  /** How long a trigger_id lives; Slack's three seconds. */
  triggerTtlMs?: number;
  /** How long an upload is "processed" after it was completed. */
  fileProcessingMs?: number;
  redeliveryDelaysMs?: readonly number[];
  /** Decides which of several sockets gets a payload. */
  seed?: number;
  botToken?: string;
  appToken?: string;
  signingSecret?: string;
  /** Where slash commands, interactions and events are posted (signed), instead of going to sockets. */
  requestUrl?: string;
}

/** A pretend Slack that is running, with the people's side of it as methods. */
export interface RunningChat {
  /** The page. */
  url: string;
  /** For `slackApiUrl` of Bolt's `clientOptions`. */
  apiUrl: string;
  botToken: string;
  appToken: string;
  signingSecret: string;
  seed: number;
  team: LabTeam;
  app: LabApp;
  users: LabUser[];
  channels: LabChannel[];
  groups: LabGroup[];
  say(request: Say): Promise<SayResult>;
  press(request: Press): Promise<PressResult>;
  submitView(request: SubmitView): Promise<SubmitResult>;
  closeView(request: { user: string; viewId: string }): Promise<void>;
  openHome(request: { user: string; tab?: 'home' | 'messages' }): void;
  /** Puts someone into a user group or channel, or takes them out. */
  setMembership(request: Membership): void;
  /** Deactivates an account or brings it back, makes a guest of it or a full member. */
  setAccount(request: Account): void;
  deleteMessage(request: { user: string; channel: string; ts: string }): void;
  messages(request: { user: string; channel: string; threadTs?: string; limit?: number }): VisibleMessage[];
  views(request: { user: string }): { modals: ViewObject[]; home: ViewObject | undefined };
  /** Resolves with the first matching event, remembered or to come. */
  waitForMessage(matches: (message: VisibleMessage) => boolean, options?: WaitOptions): Promise<VisibleMessage>;
  waitFor(matches: (event: ChatEvent) => boolean, options?: WaitOptions): Promise<ChatEvent>;
  /** Id of the newest event, for `waitFor({afterId})`. */
  lastEventId(): string;
  setFault(fault: Fault): void;
  clearFault(name?: FaultName): void;
  faults(): Fault[];
  /** Posts payloads to a URL from now on, once it has passed the handshake; undefined = Socket Mode. */
  setRequestUrl(url: string | undefined): Promise<void>;
  stats(): ChatStats;
  close(): Promise<void>;
}

/** Starts a pretend Slack on 127.0.0.1. */
export async function startChat(options: ChatOptions = {}): Promise<RunningChat> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const lab = createLab(options, seed);
  const server = createLabServer(lab);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  lab.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stopAppEvents = startAppEvents(lab, options.redeliveryDelaysMs ?? standardRedeliveryDelaysMs);
  const { team, app, users, channels, groups } = lab.directory;
  return {
    url: `${lab.origin}/`,
    apiUrl: `${lab.origin}/api/`,
    botToken: lab.tokens.bot,
    appToken: lab.tokens.app,
    signingSecret: lab.tokens.signing,
    seed,
    team,
    app,
    users,
    channels,
    groups,
    ...personMethods(lab),
    close: async () => {
      stopAppEvents();
      lab.sockets.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function personMethods(
  lab: Lab,
): Omit<
  RunningChat,
  | 'url'
  | 'apiUrl'
  | 'botToken'
  | 'appToken'
  | 'signingSecret'
  | 'seed'
  | 'close'
  | 'team'
  | 'app'
  | 'users'
  | 'channels'
  | 'groups'
> {
  return {
    say: (request) => say(lab, request),
    press: (request) => press(lab, request),
    submitView: (request) => submitView(lab, request),
    closeView: (request) => closeView(lab, request),
    openHome: (request) => openHome(lab, request),
    setMembership: (request) => setMembership(lab, request),
    setAccount: (request) => setAccount(lab, request),
    deleteMessage: (request) => deleteMessage(lab, request),
    messages: (request) => messages(lab, request),
    views: (request) => viewsOf(lab, request),
    waitFor: (matches, wait) => lab.feed.waitFor(matches, wait),
    waitForMessage: (matches, wait) => lab.feed.waitForMessage(matches, wait),
    lastEventId: () => lab.feed.lastId,
    setFault: (fault) => setFault(lab, fault),
    clearFault: (name) => clearFault(lab, name),
    faults: () => lab.faults.list(),
    setRequestUrl: async (url) => {
      if (url !== undefined) await lab.requestUrl.verify(url);
      lab.requestUrl.address = url;
    },
    stats: () => lab.stats.snapshot(),
  };
}

function createLab(options: ChatOptions, seed: number): Lab {
  const clock = options.clock ?? { nowMs: () => Date.now() };
  const ids = new Ids(clock);
  const directory = new Directory(options);
  const feed = new Feed(ids.secret(4));
  const stats = new Stats();
  const faults = new Faults(clock);
  const ackTimeoutMs = options.ackTimeoutMs ?? 3_000;
  const tokens = {
    bot: options.botToken ?? `xoxb-lab-${ids.secret(12)}`,
    app: options.appToken ?? `xapp-1-${directory.app.appId}-${ids.secret(12)}`,
    verification: ids.secret(12),
    signing: options.signingSecret ?? ids.secret(16),
  };
  const shared = { ids, stats, clock, ackTimeoutMs };
  const sockets = new SocketMode({
    ...shared,
    random: createRandom(seed),
    appId: directory.app.appId,
    refreshEveryMs: () => faults.refreshEveryMs,
  });
  const requestUrl = new RequestUrl(
    { ...shared, signingSecret: tokens.signing, verificationToken: tokens.verification },
    options.requestUrl,
  );
  const files = new FileStore(clock, ids, directory, options.fileProcessingMs ?? 250);
  files.followShown(feed);
  return {
    clock,
    ids,
    directory,
    feed,
    workspace: new Workspace(directory, feed, ids),
    views: new ViewStore(directory, feed, ids),
    files,
    triggers: new Triggers(clock, ids, options.triggerTtlMs ?? 3_000),
    responseUrls: new ResponseUrls(),
    sockets,
    requestUrl,
    deliverer: new Deliverer(faults, stats, () => (requestUrl.address === undefined ? sockets : requestUrl)),
    stats,
    faults,
    limits: new RateLimits(clock),
    tokens,
    readUpTo: new Map(),
    origin: '',
  };
}
