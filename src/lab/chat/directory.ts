import type { LabApp, LabChannel, LabGroup, LabTeam, LabUser } from './types.ts';

/** Slack's own helper; its id is the same in every workspace. */
export const slackbotId = 'USLACKBOT';

const team: LabTeam = { id: 'T0LABTEAM1', name: 'DPU Lab', domain: 'dpu-lab' };

/** Another company, whose people are in a shared channel (Slack Connect). */
const vendorTeamId = 'T0LABVENDR';

const app: LabApp = {
  appId: 'A0LABDPUB1',
  botId: 'B0LABDPUB1',
  botUserId: 'U0LABDPUB1',
  name: 'dpubot',
  commands: ['/dpu'],
  events: ['app_mention', 'message.channels', 'message.im', 'app_home_opened', 'subteam_members_changed'],
};

function person(id: string, name: string, realName: string, extra: Partial<LabUser> = {}): LabUser {
  return {
    id,
    name,
    realName,
    isBot: false,
    isAdmin: false,
    isRestricted: false,
    isUltraRestricted: false,
    deleted: false,
    tz: 'Europe/Berlin',
    tzOffsetSec: 3600,
    locale: 'en-GB',
    teamId: team.id,
    ...extra,
  };
}

function defaultUsers(): LabUser[] {
  return [
    person('U0LABANA01', 'ana', 'Ana Ops'),
    person('U0LABBEN01', 'ben', 'Ben Approver', { tz: 'America/New_York', tzOffsetSec: -18_000, locale: 'en-US' }),
    person('U0LABCARA1', 'cara', 'Cara Guest', { isRestricted: true }),
    person('U0LABDANA1', 'dana', 'Dana Admin', { isAdmin: true }),
    person('U0LABERIN1', 'erin', 'Erin Vendor', { teamId: vendorTeamId, tz: 'Asia/Tokyo', tzOffsetSec: 32_400 }),
    person('U0LABFRED1', 'fred', 'Fred Former', { deleted: true }),
    person(app.botUserId, app.name, app.name, { isBot: true, tz: 'Etc/UTC', tzOffsetSec: 0, locale: 'en-US' }),
    person(slackbotId, 'slackbot', 'Slackbot', { tz: 'Etc/UTC', tzOffsetSec: 0, locale: 'en-US' }),
  ];
}

function defaultChannels(): LabChannel[] {
  const staff = ['U0LABANA01', 'U0LABBEN01', 'U0LABDANA1'];
  return [
    {
      id: 'C0LABDPU01',
      name: 'dpu-lab',
      purpose: 'Provisioning and benchmarks of the DPU racks',
      isIm: false,
      members: [...staff, 'U0LABCARA1', app.botUserId],
    },
    { id: 'C0LABRAND1', name: 'random', purpose: 'Everything else', isIm: false, members: [...staff] },
    {
      id: 'C0LABVEND1',
      name: 'vendor-help',
      purpose: 'Shared with the vendor of the cards',
      isIm: false,
      isShared: true,
      members: [...staff, 'U0LABERIN1', app.botUserId],
    },
  ];
}

function defaultGroups(): LabGroup[] {
  return [
    { id: 'S0LABOPER1', handle: 'dpu-operators', name: 'DPU operators', users: ['U0LABANA01', 'U0LABBEN01'] },
    { id: 'S0LABAPPR1', handle: 'dpu-approvers', name: 'DPU approvers', users: ['U0LABANA01', 'U0LABBEN01'] },
    { id: 'S0LABADMN1', handle: 'dpu-admins', name: 'DPU admins', users: ['U0LABDANA1'] },
  ];
}

export interface DirectoryOptions {
  users?: LabUser[] | undefined;
  channels?: LabChannel[] | undefined;
  groups?: LabGroup[] | undefined;
  team?: Partial<LabTeam> | undefined;
  commands?: string[] | undefined;
  events?: string[] | undefined;
}

/** Who and what exists in the workspace. Ids are fixed, so that an inventory file can name user groups and channels. */
export class Directory {
  readonly team: LabTeam;
  readonly app: LabApp;
  readonly users: LabUser[];
  readonly channels: LabChannel[];
  readonly groups: LabGroup[];

  constructor(options: DirectoryOptions) {
    this.team = { ...team, ...options.team };
    this.app = { ...app, commands: options.commands ?? app.commands, events: options.events ?? app.events };
    this.users = options.users ?? defaultUsers();
    this.channels = options.channels ?? defaultChannels();
    this.groups = options.groups ?? defaultGroups();
  }

  /** Finds a member by id or handle (`ana`, `@ana`). */
  findUser(idOrName: string): LabUser | undefined {
    const name = idOrName.replace(/^@/, '');
    return this.users.find((user) => user.id === idOrName || user.name === name);
  }

  /** Finds a conversation by id or name (`dpu-lab`, `#dpu-lab`). */
  findChannel(idOrName: string): LabChannel | undefined {
    const name = idOrName.replace(/^#/, '');
    return this.channels.find((channel) => channel.id === idOrName || (!channel.isIm && channel.name === name));
  }

  directMessageId(userId: string): string {
    return `D${userId.slice(1)}`;
  }

  /** The direct-message conversation between the bot and one person, made when it is first needed. */
  directMessage(userId: string): LabChannel {
    const id = this.directMessageId(userId);
    const known = this.channels.find((channel) => channel.id === id);
    if (known !== undefined) {
      return known;
    }
    const channel = { id, name: 'directmessage', purpose: '', isIm: true, members: [userId, this.app.botUserId] };
    this.channels.push(channel);
    return channel;
  }

  /** Whether a person belongs to another workspace (Slack Connect). */
  isExternal(user: LabUser): boolean {
    return user.teamId !== this.team.id;
  }

  botIsMember(channel: LabChannel): boolean {
    return channel.members.includes(this.app.botUserId);
  }
}
