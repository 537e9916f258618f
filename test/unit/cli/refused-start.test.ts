import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleText } from '../commands/sample-inventory.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { temporaryFiles } from './rig.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
/** Long after the refusal, and before a test would time out. */
const patienceMs = 15_000;

let redis: TestRedis;
let files: ReturnType<typeof temporaryFiles>;
beforeAll(async () => {
  files = temporaryFiles();
  redis = await startRedis();
});
afterAll(async () => {
  files.remove();
  await redis.stop();
});

/** A Slack that answers every method with one refusal. */
async function refusingSlack(error: string): Promise<{ readonly apiUrl: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: false, error }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { apiUrl: `http://127.0.0.1:${port}/api/`, close: () => server.close() };
}

test('a bot whose token Slack refuses names the setting and ends with 1, although Redis is connected', async () => {
  const slack = await refusingSlack('invalid_auth');
  const env = {
    PATH: process.env['PATH'],
    REDIS_URL: redis.url,
    DPUBOT_INVENTORY: files.write('inventory.yaml', sampleText),
    SLACK_BOT_TOKEN: 'xoxb-canary-1',
    SLACK_APP_TOKEN: 'xapp-canary-2',
    SLACK_API_URL: slack.apiUrl,
  };

  const ended = await new Promise<{ code: unknown; killed: boolean; text: string }>((resolve) => {
    const options = { cwd: repository, env, timeout: patienceMs };
    execFile(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'bot'], options, (error, stdout, stderr) => {
      resolve({ code: error?.code, killed: error?.killed ?? false, text: stdout + stderr });
    });
  });
  slack.close();

  expect(ended).toMatchObject({ code: 1, killed: false });
  expect(ended.text).toContain('SLACK_BOT_TOKEN is refused by Slack: invalid_auth');
  expect(ended.text).not.toContain('canary');
});
