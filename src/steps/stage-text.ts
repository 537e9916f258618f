import { byteText } from '../domain/byte-text.ts';
import type { Image } from '../domain/image.ts';

/** An image by the name of the inventory. */
export interface NamedImage {
  readonly name: string;
  readonly image: Image;
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
  const rate = elapsedMs < 1 || newBytes <= 0 ? '' : `, ${byteText((newBytes * 1000) / elapsedMs)}/s`;
  const done = `${byteText(arrivedBytes)} of ${byteText(totalBytes)}`;
  return {
    text: `${transfer.verb} ${transfer.name} to ${transfer.host}: ${done}${rate}`,
    percent: Math.min(100, Math.floor((arrivedBytes * 100) / totalBytes)),
  };
}
