import type { Image } from '../domain/image.ts';

const bytesInMib = 1024 * 1024;

/** An image by the name of the inventory. */
export interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/** Bytes for people: `1408.0 MiB`. */
export function mib(bytes: number): string {
  return `${(bytes / bytesInMib).toFixed(1)} MiB`;
}

/** Where an image comes from: a URL by its host alone, since the rest may be long or hold a token. */
export function sourceOf(image: Image): string {
  return image.url === undefined ? `${image.file} of the worker` : new URL(image.url).host;
}

/** A sign of life of a transfer: bytes are measured, so a percentage may be told. */
export function transferSign(transfer: {
  readonly verb: string;
  readonly host: string;
  readonly name: string;
  readonly arrivedBytes: number;
  readonly fromBytes: number;
  readonly totalBytes: number;
  readonly elapsedMs: number;
}): { readonly text: string; readonly percent: number } {
  const { arrivedBytes, totalBytes, elapsedMs } = transfer;
  const newBytes = arrivedBytes - transfer.fromBytes;
  const rate = elapsedMs < 1 || newBytes <= 0 ? '' : `, ${mib((newBytes * 1000) / elapsedMs)}/s`;
  const done = `${(arrivedBytes / bytesInMib).toFixed(1)} of ${mib(totalBytes)}`;
  return {
    text: `${transfer.verb} ${transfer.name} to ${transfer.host}: ${done}${rate}`,
    percent: Math.min(100, Math.floor((arrivedBytes * 100) / totalBytes)),
  };
}
