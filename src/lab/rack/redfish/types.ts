/** Requests and replies of the pretend BMC's web server, without any network. */

export interface RedfishRequest {
  method: string;
  /** Path with query, as in the request line. */
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
  /** Address of the client, for session records. */
  remote?: string;
}

/** What an injected fault does to the reply on the wire. */
export type ReplyFault = 'drop' | 'hang' | 'truncate';

export interface RedfishReply {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Set when the bytes must not arrive as they stand. */
  fault?: ReplyFault;
}

/** The BMC is restarting: nobody listens. */
interface RedfishRefusal {
  refused: true;
}

export type RedfishAnswer = RedfishReply | RedfishRefusal;

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Is it an object (not null, not an array)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a route answers before headers are put on. `json` null = empty body. */
export interface RouteReply {
  status: number;
  json: Json;
  headers?: Record<string, string>;
}
