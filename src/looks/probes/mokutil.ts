import type { HostReader } from '../../domain/device-ports.ts';
import { parseSecureBootState, secureBootState } from '../../facts/drivers.ts';
import { readTool, toolPackages } from '../../facts/probe-tool.ts';

/** Secure Boot as the running system has it. Errors: host-tool-missing, output-unreadable. */
export async function askMokutil(session: HostReader, signal: AbortSignal): Promise<string> {
  const tool = { name: 'mokutil', need: 'to ask the running system about Secure Boot', package: toolPackages.mokutil };
  const result = await readTool(session, secureBootState.bind({}), tool, signal);
  return parseSecureBootState(session.name, `${result.stdout}\n${result.stderr}`);
}
