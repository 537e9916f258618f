import type { AnyBlock, MessageMetadata } from '@slack/types';

/** Wall clock of the pretend Slack; replaced by tests that need to travel through 30 minutes. */
export interface Clock {
  nowMs(): number;
}

/** A member of the workspace, human or bot, with the fields `users.info` answers. */
export interface LabUser {
  id: string;
  /** Handle, as typed after `@`. */
  name: string;
  realName: string;
  isBot: boolean;
  isAdmin: boolean;
  /** Multi-channel guest (`is_restricted`). */
  isRestricted: boolean;
  /** Single-channel guest (`is_ultra_restricted`). */
  isUltraRestricted: boolean;
  deleted: boolean;
  tz: string;
  tzOffsetSec: number;
  locale: string;
  /** Differs from the workspace's own id for people who come in through Slack Connect. */
  teamId: string;
}

export interface LabChannel {
  id: string;
  name: string;
  purpose: string;
  isIm: boolean;
  /** Shared with another workspace (Slack Connect). */
  isShared?: boolean;
  members: string[];
}

export interface LabGroup {
  id: string;
  handle: string;
  name: string;
  users: string[];
  /** When its members changed last, in seconds. */
  updatedSec?: number;
}

export interface LabTeam {
  id: string;
  name: string;
  domain: string;
}

export interface LabApp {
  appId: string;
  botId: string;
  botUserId: string;
  name: string;
  /** Slash commands of the app's manifest. */
  commands: string[];
  /** Event subscriptions of the app's manifest. */
  events: string[];
}

/** A file as `files.info` answers it; `mimetype` stays empty while Slack "processes" the upload. */
export interface FileObject {
  id: string;
  created: number;
  timestamp: number;
  name: string;
  title: string;
  mimetype: string;
  filetype: string;
  pretty_type: string;
  user: string;
  size: number;
  mode: string;
  is_external: boolean;
  is_public: boolean;
  url_private: string;
  url_private_download: string;
  permalink: string;
  alt_txt?: string;
  channels: string[];
  groups: string[];
  ims: string[];
  shares?: { public: Record<string, { ts: string; thread_ts?: string; channel_name: string }[]> };
}

export interface Reaction {
  name: string;
  users: string[];
  count: number;
}

/** A message in Slack's wire form (docs.slack.dev/reference/events/message). */
export interface Message {
  type: 'message';
  subtype?: string;
  ts: string;
  user: string;
  team: string;
  /** In shared channels: whose workspace the author is of. */
  user_team?: string;
  source_team?: string;
  text: string;
  blocks?: AnyBlock[];
  bot_id?: string;
  app_id?: string;
  bot_profile?: { id: string; app_id: string; name: string; team_id: string; deleted: boolean; updated: number };
  thread_ts?: string;
  parent_user_id?: string;
  reply_count?: number;
  reply_users?: string[];
  reply_users_count?: number;
  latest_reply?: string;
  is_locked?: boolean;
  subscribed?: boolean;
  edited?: { user: string; ts: string };
  metadata?: MessageMetadata;
  files?: FileObject[];
  reactions?: Reaction[];
  inviter?: string;
}

/** A message as one person sees it: the wire form without metadata, plus where it is and who else can see it. */
export interface VisibleMessage extends Omit<Message, 'metadata'> {
  channel: string;
  is_ephemeral: boolean;
}

/** What a message is made from. */
export interface Draft {
  user: string;
  text: string;
  blocks?: AnyBlock[] | undefined;
  metadata?: MessageMetadata | undefined;
  threadTs?: string | undefined;
  subtype?: string | undefined;
  files?: FileObject[] | undefined;
  inviter?: string | undefined;
}

/** One value of `state.values` (docs.slack.dev/reference/interaction-payloads/view-interactions-payload). */
export interface StateValue {
  type: string;
  value?: string | null;
  selected_option?: unknown;
  selected_options?: unknown[];
  selected_date?: string | null;
  selected_time?: string | null;
  selected_user?: string | null;
  selected_users?: string[];
  selected_conversation?: string | null;
  selected_conversations?: string[];
  selected_channel?: string | null;
  selected_channels?: string[];
  selected_date_time?: number | null;
}

export type StateValues = Record<string, Record<string, StateValue>>;

/** A view in wire form, as in `views.open` answers and `view_submission` payloads. */
export interface ViewObject {
  id: string;
  team_id: string;
  type: 'modal' | 'home';
  blocks: AnyBlock[];
  private_metadata: string;
  callback_id: string;
  external_id: string;
  state: { values: StateValues };
  hash: string;
  title: unknown;
  close: unknown;
  submit: unknown;
  clear_on_close: boolean;
  notify_on_close: boolean;
  previous_view_id: string | null;
  root_view_id: string | null;
  app_id: string;
  app_installed_team_id: string;
  bot_id: string;
}

/** What the page, the demo and the tests are told about; `user` set = only that person sees it. */
export type ChatEvent =
  | { type: 'message/new'; channel: string; message: VisibleMessage }
  /** `isEdit` = the content changed; otherwise only the reply count or the reactions, of which apps hear nothing. */
  | { type: 'message/changed'; channel: string; message: VisibleMessage; isEdit: boolean }
  | { type: 'message/deleted'; channel: string; ts: string; threadTs?: string }
  | { type: 'ephemeral/new' | 'ephemeral/changed'; channel: string; user: string; message: VisibleMessage }
  | { type: 'ephemeral/deleted'; channel: string; user: string; ts: string; threadTs?: string }
  | { type: 'view/opened' | 'view/updated'; user: string; view: ViewObject }
  | { type: 'view/closed'; user: string; viewId: string }
  | { type: 'home/published'; user: string; view: ViewObject }
  | { type: 'channel/changed'; channel: string; members: string[] }
  | { type: 'group/changed'; group: string; added: string[]; removed: string[]; beforeSec: number; nowSec: number }
  | { type: 'user/changed'; user: string }
  | { type: 'resync' };
