/** Who reads a setting. */
export type Part = 'bot' | 'worker' | 'cli';

interface Variable {
  readonly parts: readonly Part[];
  /** Parts that refuse to start when it is set: the wall between Slack tokens and keys to devices. */
  readonly never: readonly Part[];
  readonly secret: boolean;
  readonly about: string;
  /** Shown in .env.example: the default, or a value of the right form. */
  readonly example: string;
  readonly required: boolean;
}

export type VariableName =
  | 'REDIS_URL'
  | 'DPUBOT_INVENTORY'
  | 'LOG_LEVEL'
  | 'METRICS_PORT'
  | 'SLACK_BOT_TOKEN'
  | 'SLACK_APP_TOKEN'
  | 'SLACK_SIGNING_SECRET'
  | 'HTTP_PORT'
  | 'SLACK_API_URL'
  | 'DPUBOT_AGE_IDENTITY'
  | 'DPUBOT_ESCROW'
  | 'DPUBOT_SITE'
  | 'DPUBOT_WORKER_ID'
  | 'DPUBOT_LAB_TIME_FACTOR';

const all: readonly Part[] = ['bot', 'worker', 'cli'];
const processes: readonly Part[] = ['bot', 'worker'];

/** Every setting of dpubot, in the order of .env.example, which is written from here. */
export const variables: Readonly<Record<VariableName, Variable>> = {
  REDIS_URL: {
    parts: all,
    never: [],
    secret: true,
    about: 'The only shared state. Bot and workers have users of their own there (examples/redis-acl.conf).',
    example: 'redis://dpubot-bot:PASSWORD@127.0.0.1:6379',
    required: true,
  },
  DPUBOT_INVENTORY: {
    parts: all,
    never: [],
    secret: false,
    about: 'The inventory file; the same content for bot and workers. Read again when it changes.',
    example: './inventory.yaml',
    required: true,
  },
  LOG_LEVEL: {
    parts: all,
    never: [],
    secret: false,
    about: 'trace, debug, info, warn, error or fatal.',
    example: 'info',
    required: false,
  },
  METRICS_PORT: {
    parts: processes,
    never: [],
    secret: false,
    about: 'Prometheus metrics and /healthz on this port. Not set: none.',
    example: '9464',
    required: false,
  },
  SLACK_BOT_TOKEN: {
    parts: ['bot', 'cli'],
    never: ['worker'],
    secret: true,
    about: 'Bot token of the Slack app (examples/slack-manifest.yaml).',
    example: 'xoxb-...',
    required: true,
  },
  SLACK_APP_TOKEN: {
    parts: ['bot'],
    never: ['worker'],
    secret: true,
    about: 'App-level token with connections:write. Set: Socket Mode, no public address needed.',
    example: 'xapp-...',
    required: false,
  },
  SLACK_SIGNING_SECRET: {
    parts: ['bot'],
    never: ['worker'],
    secret: true,
    about: 'Needed without SLACK_APP_TOKEN, together with HTTP_PORT: proves that a request comes from Slack.',
    example: '0123456789abcdef0123456789abcdef',
    required: false,
  },
  HTTP_PORT: {
    parts: ['bot'],
    never: [],
    secret: false,
    about: 'Port on which Slack calls the bot when SLACK_APP_TOKEN is not set.',
    example: '3000',
    required: false,
  },
  SLACK_API_URL: {
    parts: ['bot', 'cli'],
    never: [],
    secret: false,
    about: 'Where the Slack Web API is; another one only for the pretend Slack or GovSlack.',
    example: 'https://slack.com/api/',
    required: false,
  },
  DPUBOT_AGE_IDENTITY: {
    parts: ['worker', 'cli'],
    never: ['bot'],
    secret: true,
    about: 'age identity of the site: a file written by age-keygen (best), or the AGE-SECRET-KEY-... itself.',
    example: '/etc/dpubot/site.agekey',
    required: true,
  },
  DPUBOT_ESCROW: {
    parts: ['worker', 'cli'],
    never: [],
    secret: false,
    about: 'Directory on a mounted volume; every new BMC password is written there, encrypted, before it is sent.',
    example: '/var/lib/dpubot/escrow',
    required: true,
  },
  DPUBOT_SITE: {
    parts: ['worker', 'cli'],
    never: [],
    secret: false,
    about: 'Site of the inventory that this worker serves; several are divided by commas.',
    example: 'lab',
    required: true,
  },
  DPUBOT_WORKER_ID: {
    parts: ['worker'],
    never: [],
    secret: false,
    about:
      'Stable name of this worker, never shared by two that run: started again under it, it takes its own leases back at once. Default: host name.',
    example: 'worker-1',
    required: false,
  },
  DPUBOT_LAB_TIME_FACTOR: {
    parts: ['worker'],
    never: [],
    secret: false,
    about: 'How much faster the devices of simulated sites live. No effect on other sites.',
    example: '1',
    required: false,
  },
};

/** The text of .env.example. */
export function envExample(): string {
  const head = [
    '# Settings of dpubot. Copy to .env, or name the file with --env-file. What is set in the environment wins.',
    '# Bot and workers must not share one file: the bot refuses keys to devices, a worker refuses Slack tokens.',
    '# Written by `npm run docs` from src/config-variables.ts.',
  ];
  const entries = Object.entries(variables).map(([name, variable]) => {
    const who = variable.parts.map((part) => (part === 'cli' ? 'command line' : part)).join(', ');
    const kind = variable.required ? 'required' : 'optional';
    return [`# ${variable.about}`, `# Read by: ${who}; ${kind}.`, `# ${name}=${variable.example}`].join('\n');
  });
  return `${[head.join('\n'), ...entries].join('\n\n')}\n`;
}
