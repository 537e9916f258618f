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

function faultText(fault: ChatFault): string {
  if (fault.kind === 'rate-limited') return `rate limited for ${fault.retryAfterMs} ms`;
  return fault.kind === 'refused' ? `refused with ${fault.error}` : `${fault.kind}: ${fault.reason}`;
}
