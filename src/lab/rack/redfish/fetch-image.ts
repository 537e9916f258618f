/**
 * How a BMC gets an image by its scheme-less `ImageURI`: from the pretend internet, or from a server of the real network.
 *
 * Source: BlueField BMC manual ("Deploying BlueField Software Using BFB from BMC": `<server>/<path>` without a scheme);
 * NICo field notes (`host//absolute/path`; a scheme makes the BMC lose the host).
 */
import { useFault } from '../faults.ts';
import { fetchFile } from '../packages/internet.ts';
import type { CardState, FetchedFile, Rack } from '../state.ts';

/** Server and path of an ImageURI; null when the BMC cannot tell them apart. */
function serverAndPath(uri: string): { server: string; path: string } | null {
  const match = /^([\w.-]+(?::\d+)?|\[[\da-f:]+\](?::\d+)?)\/+(\S+)$/i.exec(uri);
  const [, server, path] = match ?? [];
  return server === undefined || path === undefined || uri.includes('://') ? null : { server, path };
}

/** The part of an ImageURI that the BMC names in its messages: what follows the server. */
export function pathOf(uri: string): string {
  return uri.slice(uri.indexOf('/') + 1);
}

/** Fetch the image; says at once or later what the server gave. */
export function fetchImage(
  rack: Rack,
  card: CardState,
  protocol: string,
  uri: string,
  done: (result: FetchedFile) => void,
): void {
  const source = serverAndPath(uri);
  if (source === null || useFault(rack.state.faults, 'internet-unreachable', [card.name, card.host])) {
    done('unreachable');
    return;
  }
  const address = `${source.server}/${source.path}`;
  // A web server of the internet has the same files under both schemes.
  const found = fetchFile(`https://${address}`);
  if (found !== 'unreachable') {
    done(found?.virtual === undefined ? 'no-file' : { sha256: found.virtual.sha256 });
    return;
  }
  const { fetchFile: ask } = rack.outside;
  if (ask === undefined || protocol === 'SCP') done('unreachable');
  else ask(`${protocol.toLowerCase()}://${address}`, done);
}
