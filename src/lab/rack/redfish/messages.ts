/**
 * Error bodies and messages, filled in from the registries the BMC itself publishes.
 *
 * Source: bmcweb redfish-core/src/error_messages.cpp; Base 1.18.1, Update 1.0.2, TaskEvent 1.0.3 registries.
 */
import { capturedTree } from './capture.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject, RouteReply } from './types.ts';

const registries = {
  Base: { path: '/redfish/v1/Registries/Base/Base', prefix: 'Base.1.18.1' },
  Update: { path: '/redfish/v1/Registries/Update/Update', prefix: 'Update.1.0' },
  TaskEvent: { path: '/redfish/v1/Registries/TaskEvent/TaskEvent', prefix: 'TaskEvent.1.0' },
  OpenBMC: { path: '/redfish/v1/Registries/OpenBMC/OpenBMC', prefix: 'OpenBMC.0.1' },
  ResourceEvent: { path: '/redfish/v1/Registries/ResourceEvent/ResourceEvent', prefix: 'ResourceEvent.1.0' },
} as const;

type RegistryName = keyof typeof registries;

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** One message object with its arguments put in. */
export function message(registry: RegistryName, name: string, args: string[] = [], resolution?: string): JsonObject {
  const { path, prefix } = registries[registry];
  const messages = capturedTree().get(path)?.['Messages'];
  const entry = isJsonObject(messages) ? messages[name] : undefined;
  if (!isJsonObject(entry)) throw new Error(`The registry ${prefix} has no message ${name}.`);
  const filled = text(entry['Message']).replaceAll(/%(\d)/g, (_, digit: string) => args[Number(digit) - 1] ?? '');
  return {
    '@odata.type': '#Message.v1_1_1.Message',
    Message: filled,
    MessageArgs: args,
    MessageId: `${prefix}.${name}`,
    MessageSeverity: text(entry['MessageSeverity']),
    Resolution: resolution ?? text(entry['Resolution']),
  };
}

/** `{"error": {...}}` around messages; the first one names the error. */
export function errorBody(messages: JsonObject[]): JsonObject {
  const [first] = messages;
  return {
    error: {
      '@Message.ExtendedInfo': messages,
      code: first?.['MessageId'] ?? 'Base.1.18.1.GeneralError',
      message: first?.['Message'] ?? '',
    },
  };
}

/** An error reply with one Base message. */
export function fail(status: number, name: string, args: string[] = []): RouteReply {
  return { status, json: errorBody([message('Base', name, args)]) };
}

/** An error about one property: named by annotation too, as bmcweb does. */
export function failProperty(property: string, name: string, args: string[]): RouteReply {
  const detail = message('Base', name, args);
  return { status: 400, json: { ...errorBody([detail]), [`${property}@Message.ExtendedInfo`]: [detail] } };
}

/** 200 with the Success message. */
export function success(): RouteReply {
  return { status: 200, json: { '@Message.ExtendedInfo': [message('Base', 'Success')] } };
}

/** 204, as bmcweb answers most PATCHes. */
export const noContent: RouteReply = { status: 204, json: null };

/** 404 for a path; this firmware leaves the type empty. */
export function notFound(path: string): RouteReply {
  const parts = path.split('/');
  return fail(404, 'ResourceNotFound', ['', parts.at(-1) ?? '']);
}
