import type { ChatFault } from './chat-client.ts';

/** Thrown when a message could not be brought to the chat now; the run is tried again later and loses nothing. */
export class NotPublished extends Error {
  readonly fault: ChatFault;

  constructor(fault: ChatFault) {
    super(`not published: ${faultText(fault)}`);
    this.name = 'NotPublished';
    this.fault = fault;
  }
}

/** Whether the chat gave no answer at all: that passes for all messages at once, and says nothing about this one. */
export function isSilence(error: unknown): boolean {
  return error instanceof NotPublished && (error.fault.kind === 'unsent' || error.fault.kind === 'unknown');
}

function faultText(fault: ChatFault): string {
  if (fault.kind === 'rate-limited') return `rate limited for ${fault.retryAfterMs} ms`;
  return fault.kind === 'refused' ? `refused with ${fault.error}` : `${fault.kind}: ${fault.reason}`;
}
