/** Keeps the beginning and the end of a stream in bounded memory. */
export interface HeadTail {
  push(chunk: Buffer): void;
  truncated(): boolean;
  /** All bytes, or head, a line that says how much is missing, and tail. */
  bytes(): Buffer;
}

/** Keeps at most `maxBytes`, half of them from the beginning. */
export function createHeadTail(maxBytes: number): HeadTail {
  const headLimit = Math.ceil(maxBytes / 2);
  const tailLimit = maxBytes - headLimit;
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let dropped = 0;

  function pushTail(chunk: Buffer): void {
    tail.push(chunk);
    tailBytes += chunk.length;
    // Trimmed at twice the limit: each byte is copied at most twice, however small the chunks are.
    if (tailBytes > tailLimit * 2 || tail.length > 1_024) trimTail();
  }

  function trimTail(): void {
    const all = Buffer.concat(tail);
    const kept = Buffer.from(all.subarray(Math.max(0, all.length - tailLimit)));
    dropped += all.length - kept.length;
    tail = [kept];
    tailBytes = kept.length;
  }

  return {
    push(chunk) {
      const room = headLimit - headBytes;
      if (room > 0) {
        const part = chunk.subarray(0, room);
        head.push(part);
        headBytes += part.length;
      }
      if (chunk.length > room) pushTail(chunk.subarray(Math.max(0, room)));
    },
    truncated() {
      trimTail();
      return dropped > 0;
    },
    bytes() {
      trimTail();
      const gap = dropped > 0 ? [Buffer.from(`\n[... ${dropped} bytes left out ...]\n`)] : [];
      return Buffer.concat([...head, ...gap, ...tail]);
    },
  };
}
