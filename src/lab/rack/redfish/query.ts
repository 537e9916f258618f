/**
 * Query parameters on GET: $select, $expand, $top, $skip, $filter (simple comparisons) and only.
 *
 * Source: DSP0266 section 7.3; bmcweb redfish-core/include/utils/query_param.hpp (limits, order of checks).
 */
import { memberFilter } from './filter.ts';
import { fail } from './messages.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject, RouteReply } from './types.ts';
import type { ResourceView } from './view.ts';

const maxLevels = 6;
/** A tree this size is what the whole service has a few times over; more is a loop of links. */
const maxExpansions = 1_500;

interface Query {
  select: string[] | null;
  expand: { kind: '*' | '.' | '~'; levels: number } | null;
  only: boolean;
  top: number | null;
  skip: number;
  filter: ((member: JsonObject) => boolean) | null;
}

function isReply(value: unknown): value is RouteReply {
  return typeof value === 'object' && value !== null && 'status' in value && 'json' in value;
}

function parseExpand(value: string): Query['expand'] | RouteReply {
  const match = /^([*.~])(?:\(\$levels=(\d+)\))?$/.exec(value);
  if (match === null) return fail(400, 'QueryParameterValueFormatError', [value, '$expand']);
  const [, sign = '.', level] = match;
  const levels = level === undefined ? 1 : Number(level);
  if (levels < 1 || levels > maxLevels) {
    return fail(400, 'QueryParameterOutOfRange', [value, '$expand', `1-${maxLevels}`]);
  }
  return { kind: sign === '*' ? '*' : sign === '~' ? '~' : '.', levels };
}

function parseCount(name: string, value: string): number | RouteReply {
  return /^\d{1,6}$/.test(value) ? Number(value) : fail(400, 'QueryParameterValueTypeError', [value, name]);
}

function readParameter(query: Query, name: string, value: string): RouteReply | null {
  switch (name) {
    case 'only':
      query.only = true;
      return value === '' ? null : fail(400, 'QueryParameterValueFormatError', [value, 'only']);
    case '$select':
      query.select = value.split(',').map((each) => each.trim());
      return query.select.every((each) => /^[\w@.#/]+$/.test(each))
        ? null
        : fail(400, 'QueryParameterValueFormatError', [value, '$select']);
    case '$expand': {
      const expand = parseExpand(value);
      if (isReply(expand)) return expand;
      query.expand = expand;
      return null;
    }
    case '$top':
    case '$skip': {
      const count = parseCount(name, value);
      if (typeof count !== 'number') return count;
      if (name === '$top') query.top = count;
      else query.skip = count;
      return null;
    }
    case '$filter': {
      query.filter = memberFilter(value);
      return query.filter === null ? fail(400, 'QueryParameterValueFormatError', [value, '$filter']) : null;
    }
    default:
      // The specification wants 501 for an unknown parameter that starts with $; any other is ignored.
      return name.startsWith('$') ? fail(501, 'QueryParameterUnsupported', [name]) : null;
  }
}

function parseQuery(text: string): Query | RouteReply {
  const query: Query = { select: null, expand: null, only: false, top: null, skip: 0, filter: null };
  for (const [name, value] of new URLSearchParams(text)) {
    const problem = readParameter(query, name, value);
    if (problem !== null) return problem;
  }
  const others = query.select ?? query.expand ?? query.top ?? query.filter;
  if (query.only && others !== null) return fail(400, 'QueryCombinationInvalid');
  return query;
}

interface Expansion {
  view: ResourceView;
  kind: '*' | '.' | '~';
  left: number;
}

function expandLink(link: string, expansion: Expansion, levels: number): JsonObject | null {
  if (link.includes('#') || expansion.left <= 0) return null;
  const resource = expansion.view.get(link);
  if (resource === null) return null;
  expansion.left -= 1;
  return levels > 1 ? expandObject(resource, expansion, levels - 1, false) : resource;
}

function expandValue(value: Json, expansion: Expansion, levels: number, inLinks: boolean): Json {
  if (Array.isArray(value)) return value.map((each) => expandValue(each, expansion, levels, inLinks));
  if (!isJsonObject(value)) return value;
  const link = value['@odata.id'];
  const wanted = expansion.kind === '*' || (expansion.kind === '~') === inLinks;
  if (typeof link === 'string' && Object.keys(value).length === 1) {
    return wanted ? (expandLink(link, expansion, levels) ?? value) : value;
  }
  return expandObject(value, expansion, levels, inLinks);
}

function expandObject(object: JsonObject, expansion: Expansion, levels: number, inLinks: boolean): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    result[key] = key.startsWith('@') ? value : expandValue(value, expansion, levels, inLinks || key === 'Links');
  }
  return result;
}

function selectFrom(object: JsonObject, wanted: string[]): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const deeper = wanted.filter((each) => each.startsWith(`${key}/`)).map((each) => each.slice(key.length + 1));
    if (key.startsWith('@odata.') || wanted.includes(key)) result[key] = value;
    else if (deeper.length > 0 && isJsonObject(value)) result[key] = selectFrom(value, deeper);
  }
  return result;
}

function applySelect(resource: JsonObject, query: Query): JsonObject {
  const { select } = query;
  if (select === null) return resource;
  if (query.expand === null || !Array.isArray(resource['Members'])) return selectFrom(resource, select);
  const members = resource['Members'].map((each) => (isJsonObject(each) ? selectFrom(each, select) : each));
  return { ...resource, Members: members };
}

function slice(resource: JsonObject, query: Query, view: ResourceView): JsonObject | RouteReply {
  if (query.top === null && query.skip === 0 && query.filter === null) return resource;
  const members = resource['Members'];
  if (!Array.isArray(members)) return fail(400, 'QueryNotSupportedOnResource');
  const { filter } = query;
  const kept = members.filter((each) => {
    if (filter === null) return true;
    const path = isJsonObject(each) ? each['@odata.id'] : undefined;
    const member = typeof path === 'string' ? view.get(path) : null;
    return member !== null && filter(member);
  });
  const end = query.top === null ? undefined : query.skip + query.top;
  return { ...resource, Members: kept.slice(query.skip, end), 'Members@odata.count': kept.length };
}

/** Answer a GET with its query string (without the question mark). */
export function applyQuery(view: ResourceView, resource: JsonObject, text: string): JsonObject | RouteReply {
  if (text === '') return resource;
  const query = parseQuery(text);
  if (isReply(query)) return query;
  if (query.only) {
    const members = resource['Members'];
    const first = Array.isArray(members) && members.length === 1 ? members[0] : undefined;
    const path = isJsonObject(first) ? first['@odata.id'] : undefined;
    return (typeof path === 'string' ? view.get(path) : null) ?? resource;
  }
  const sliced = slice(resource, query, view);
  if (isReply(sliced)) return sliced;
  const expanded =
    query.expand === null
      ? sliced
      : expandObject(sliced, { view, kind: query.expand.kind, left: maxExpansions }, query.expand.levels, false);
  return applySelect(expanded, query);
}
