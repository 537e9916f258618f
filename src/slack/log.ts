/** The part of a pino logger that this room uses: fields first, then a static message. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How the workspace is reached. */
export interface SlackAccess {
  readonly botToken: string;
  /** Base URL of the Web API; Slack's own when missing. */
  readonly apiUrl?: string;
}

/** Waits on the wall clock; rejects with the signal's reason when aborted. Injected, so that tests need no real time. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** What is told of something thrown, in logs: never a stack, never a token. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
