import type { CliConfig } from '../config.ts';
import { checkRedis } from '../store/check-redis.ts';
import type { RedisSpace } from '../store/redis.ts';
import type { Finding } from './findings.ts';
import { ok, warn } from './findings.ts';

/** Node version, and which half of dpubot these settings belong to. */
export function checkSettings(config: CliConfig, nodeVersion: string = process.versions.node): Finding[] {
  const [major = 0] = nodeVersion.split('.').map(Number);
  const node =
    major >= 22
      ? ok('node', nodeVersion)
      : warn('node', `${nodeVersion} gets no upstream fixes since 2026-04-30`, 'Move to Node 22 or 24 when you can.');
  const both = config.slackBotToken !== undefined && config.ageIdentities.length > 0;
  if (!both) return [node];
  return [
    node,
    warn(
      'settings',
      'a Slack token and an age identity are both set here',
      'Fine for this check on an admin machine; bot and worker each refuse to start like this.',
    ),
  ];
}

/** Version and eviction policy (wrong ones throw redis-unfit), and persistence. */
export async function checkStore(space: RedisSpace): Promise<Finding[]> {
  const health = await checkRedis(space);
  const found = [ok('redis', `version ${health.version}, maxmemory-policy ${health.maxmemoryPolicy}`)];
  if (health.appendOnly === undefined)
    found.push(warn('redis', 'it does not say whether AOF is on', 'Check `appendonly yes` in its configuration.'));
  else if (!health.appendOnly)
    found.push(
      warn('redis', 'AOF is off: a restart loses runs and holds', 'Set `appendonly yes` and `appendfsync always`.'),
    );
  else if (health.appendFsync !== undefined && health.appendFsync !== 'always')
    found.push(
      warn(
        'redis',
        `AOF with appendfsync ${health.appendFsync}: a power cut may lose the last second`,
        'Set `appendfsync always`; the load of dpubot is small.',
      ),
    );
  else found.push(ok('redis', `AOF is on, appendfsync ${health.appendFsync ?? 'not readable with these rights'}`));
  return found;
}
