import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A piece of hand work of the quest for 400G IPsec, and what does it here. */
interface Procedure {
  readonly procedure: string;
  readonly command: string;
  /** Names of steps, as plans and journals show them. */
  readonly steps: readonly string[];
  /** Said instead of steps, where a command needs none. */
  readonly note?: string;
}

const provision = '`/dpu provision <target>`';

/** In the order of the article; its fast-data part and its password resets come with their own commands. */
const procedures: readonly Procedure[] = [
  {
    procedure: 'Part 2: the right DPU; appendix: no storage controllers',
    command: `${provision}, \`/dpu sku <part-number>\``,
    steps: ['identify-card'],
  },
  { procedure: 'Part 2: a slot that is PCIe 5.0 x16', command: provision, steps: ['identify-card'] },
  { procedure: 'Before anything: who uses the card', command: provision, steps: ['check-card-use'] },
  { procedure: 'Step 1: install DOCA on the host', command: provision, steps: ['preflight-host', 'install-doca'] },
  {
    procedure: 'Step 2: change the default BMC password',
    command: provision,
    steps: ['pin-bmc-certificate', 'set-bmc-password'],
  },
  {
    procedure: 'Step 3: update the BFB over rshim',
    command: provision,
    steps: ['stage-bfb', 'install-bfb', 'check-versions'],
  },
  { procedure: 'Step 3: firmware that waits for a cold boot', command: provision, steps: ['activate-firmware'] },
  {
    procedure: 'Step 4: find the BMC address with ipmitool',
    command: `${provision} (BMC address \`auto\`)`,
    steps: ['enrol-arm-login', 'find-bmc-address'],
  },
  { procedure: 'Step 4: disable Secure Boot permanently', command: provision, steps: ['disable-secure-boot'] },
  { procedure: 'Step 4: openibd restart, are the drivers loaded?', command: provision, steps: ['load-drivers'] },
  {
    procedure: 'Step 5: console login, change the password of `ubuntu`',
    command: provision,
    steps: ['enrol-arm-login'],
  },
  { procedure: 'Step 5: hostname = serial number', command: provision, steps: ['set-hostname'] },
  {
    procedure: 'Step 5: Tailscale on hosts and DPUs',
    command: provision,
    steps: ['install-tailscale-host', 'install-tailscale-dpu'],
  },
  { procedure: 'Fast data: MTUs', command: provision, steps: ['set-mtu'] },
  { procedure: 'Beside it: the clock of the card', command: provision, steps: ['set-ntp'] },
  {
    procedure: 'Appendix: put the DPU into DPU mode',
    command: '`/dpu provision <target> --set-mode`',
    steps: ['check-dpu-mode', 'set-dpu-mode', 'activate-mode'],
  },
  {
    procedure: 'Appendix: reflash, the Arm password is lost',
    command: '`/dpu provision <target> --reflash`',
    steps: ['install-bfb', 'enrol-arm-login'],
  },
];

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Source {
  readonly path: string;
  readonly text: string;
}

/** docs/procedures.md: which command and which step does what, in which file, and which tests speak of it. */
export function proceduresPage(): string {
  const steps = sourcesBelow('src/steps');
  // Elsewhere names of steps are only samples.
  const tests = ['test/unit/steps', 'test/contract/steps', 'test/engine', 'test/lab/e2e']
    .flatMap(sourcesBelow)
    .filter(({ path }) => path.endsWith('.test.ts'));
  const rows = procedures.map((entry) => {
    const files = entry.steps.map((name) => fileOf(steps, name));
    const spoken = tests.filter(({ text }) => entry.steps.some((name) => speaksOf(text, name, fileOf(steps, name))));
    return [
      entry.procedure,
      entry.command,
      entry.steps.map(code).join(', '),
      list(files),
      list(spoken.map((t) => t.path)),
    ];
  });
  return [
    '# From the article to the code',
    '',
    '_Written by `npm run docs`._ What a person did by hand in "The quest for 400G IPsec", the command that does it now, the',
    'steps that carry it out, and the tests that speak of them.',
    '',
    '| by hand | command | steps | files | tests |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n');
}

/** The file that declares a step. A step that nobody declares is an error: the table would be a promise. */
function fileOf(steps: readonly Source[], name: string): string {
  const found = steps.find(({ text }) => text.includes(`'${name}'`) && /defineStep/.test(text));
  if (found === undefined) throw new Error(`no file in src/steps declares the step ${name}`);
  return found.path;
}

function speaksOf(text: string, name: string, file: string): boolean {
  return text.includes(`'${name}'`) || text.includes(`/${file.replace(/^.*\//, '')}'`);
}

function code(text: string): string {
  return `\`${text}\``;
}

function list(paths: readonly string[]): string {
  return [...new Set(paths)].map((path) => `[${path.replace(/^.*\//, '')}](../${path})`).join(', ');
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(`${root}${folder}/${path}`, 'utf8') }));
}
