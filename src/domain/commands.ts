/**
 * A read-only command of a fact: a constant template whose holes are checked before they are filled.
 * Facts cannot run anything else, so "a plan changes nothing" can be reviewed as a list (test/policy/fact-commands.test.ts).
 */
export interface ReadCommand {
  readonly kind: 'read-command';
  readonly name: string;
  readonly argv: readonly string[];
}

/** A Redfish resource read by a fact. */
export interface ReadResource {
  readonly kind: 'read-resource';
  readonly name: string;
  readonly path: string;
}

export interface ReadTemplate<K extends string> {
  readonly template: {
    readonly name: string;
    readonly argv: readonly string[];
    readonly holes: Readonly<Record<K, RegExp>>;
  };
  bind(values: Readonly<Record<K, string>>): ReadCommand;
}

/**
 * Declares a read-only command. Each element of `argv` is a word; a word `{name}` is a hole whose value must match
 * `holes.name` in full, else a RangeError (a bug: callers pass values that were parsed from the device).
 */
export function defineRead<K extends string = never>(template: {
  readonly name: string;
  readonly argv: readonly string[];
  readonly holes?: Readonly<Record<K, RegExp>>;
}): ReadTemplate<K> {
  const holes = (template.holes ?? {}) as Readonly<Record<K, RegExp>>;
  return {
    template: { name: template.name, argv: template.argv, holes },
    bind(values) {
      const argv = template.argv.map((word) => {
        const hole = /^\{(\w+)\}$/.exec(word)?.[1] as K | undefined;
        if (hole === undefined) return word;
        const value = values[hole];
        const pattern = holes[hole];
        if (pattern === undefined || !new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(value))
          throw new RangeError(`${template.name}: value for {${hole}} is not allowed`);
        return value;
      });
      return { kind: 'read-command', name: template.name, argv };
    },
  };
}

/** Declares a Redfish resource that facts may GET. */
export function defineResource(resource: { readonly name: string; readonly path: string }): ReadResource {
  return { kind: 'read-resource', ...resource };
}

/** A resource below a collection whose member names differ between vendors (`/redfish/v1/Systems/{id}`). */
export interface ResourceTemplate {
  readonly template: { readonly name: string; readonly path: string };
  bind(id: string): ReadResource;
}

/** Declares such a resource; `{id}` in the path takes one path segment, else a RangeError. */
export function defineMember(template: { readonly name: string; readonly path: string }): ResourceTemplate {
  return {
    template,
    bind(id) {
      if (!/^[A-Za-z0-9._-]{1,100}$/.test(id) || id === '..')
        throw new RangeError(`${template.name}: "${id}" is no member name`);
      return { kind: 'read-resource', name: template.name, path: template.path.replace('{id}', id) };
    },
  };
}
