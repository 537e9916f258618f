import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readFetchTools } from '../facts/host-platform.ts';
import { expectSuccess, isSudoRefusal } from '../facts/read-helpers.ts';
import type { PackageRepository } from './apt-words.ts';

/** Fetches the key file of a repository with curl, else wget, as root. Errors: download-failed, sudo-refused. */
export async function fetchKey(
  context: ApplyContext,
  session: HostSession,
  { keyUrl, proxy }: PackageRepository,
  file: string,
): Promise<void> {
  const tools = await readFetchTools(session, context.signal);
  const withCurl = tools.has('curl');
  const argv = withCurl ? curlWords(keyUrl, file, proxy) : wgetWords(keyUrl, file, proxy);
  const options = { timeoutMs: 150_000, signal: context.signal };
  const result = await session.run(['sudo', '-n', ...argv], options);
  if (result.exitCode === 0) return;
  if (isSudoRefusal(result)) expectSuccess(session.name, argv[0] ?? 'curl', result);
  const why = (withCurl ? curlExits : wgetExits)[result.exitCode] ?? `${argv[0]} ended with ${result.exitCode}`;
  const said = result.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  throw errors.downloadFailed({
    host: session.name,
    from: keyUrl,
    why: said === '' ? `${why}.` : `${why} (${said}).`,
    run: context.runId,
  });
}

function curlWords(url: string, file: string, proxy: string | undefined): readonly string[] {
  const limits = ['--connect-timeout', '20', '--max-time', '120', '--proto', '=http,https'];
  const through = proxy === undefined ? [] : ['--proxy', proxy];
  return ['curl', '--fail', '--silent', '--show-error', '--location', ...limits, ...through, '--output', file, url];
}

function wgetWords(url: string, file: string, proxy: string | undefined): readonly string[] {
  const through =
    proxy === undefined ? [] : ['-e', 'use_proxy=yes', '-e', `http_proxy=${proxy}`, '-e', `https_proxy=${proxy}`];
  return ['wget', '--no-verbose', '--tries=2', '--timeout=20', ...through, '-O', file, url];
}

/** Source: curl(1), EXIT CODES. */
const curlExits: Readonly<Record<number, string>> = {
  5: 'the name of the proxy could not be resolved',
  6: 'the name of the server could not be resolved',
  7: 'the connection was refused or there is no route',
  22: 'the server answered with an error',
  23: 'the file could not be written',
  28: 'no answer in time',
  35: 'the TLS handshake failed',
  56: 'the connection broke off',
  60: 'the certificate of the server is not trusted',
};

/** Source: wget(1), EXIT STATUS. */
const wgetExits: Readonly<Record<number, string>> = {
  3: 'the file could not be written',
  4: 'the network failed',
  5: 'the certificate of the server is not trusted',
  8: 'the server answered with an error',
};
