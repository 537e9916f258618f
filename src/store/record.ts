import { errors } from '../errors.ts';

/**
 * Parses a stored JSON record and checks its shape. A record that cannot be read is `store-corrupt`: the store never
 * fills in defaults.
 */
export function readRecord<T>(key: string, text: string, isShape: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw errors.storeCorrupt({ key, problem: 'It is not JSON.' });
  }
  if (!isShape(value)) throw errors.storeCorrupt({ key, problem: 'It does not have the expected fields.' });
  return value;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A reply of Redis that must be a list of texts. */
export function texts(key: string, reply: unknown): readonly string[] {
  if (!Array.isArray(reply) || !reply.every((item) => typeof item === 'string'))
    throw errors.storeCorrupt({ key, problem: 'Redis answered with another type than expected.' });
  return reply;
}
