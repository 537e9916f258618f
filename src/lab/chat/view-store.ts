import type { Directory } from './directory.ts';
import type { Feed } from './feed.ts';
import type { Ids } from './ids.ts';
import type { ViewObject } from './types.ts';

/** A view as an app sends it, after it has passed the check. */
export interface ViewInput {
  type: 'modal' | 'home';
  blocks: ViewObject['blocks'];
  title?: unknown;
  close?: unknown;
  submit?: unknown;
  private_metadata?: string;
  callback_id?: string;
  external_id?: string;
  clear_on_close?: boolean;
  notify_on_close?: boolean;
}

export type UpdateError = 'not_found' | 'hash_conflict';

/** Open modals (a stack of at most three a person) and App Home views. */
export class ViewStore {
  readonly #directory: Directory;
  readonly #feed: Feed;
  readonly #ids: Ids;
  readonly #stacks = new Map<string, ViewObject[]>();
  readonly #homes = new Map<string, ViewObject>();

  constructor(directory: Directory, feed: Feed, ids: Ids) {
    this.#directory = directory;
    this.#feed = feed;
    this.#ids = ids;
  }

  /** Modals of a person, the visible one last. */
  stack(user: string): ViewObject[] {
    return this.#stacks.get(user) ?? [];
  }

  /** Every view that is shown to anyone. */
  all(): ViewObject[] {
    return [...this.#stacks.values(), [...this.#homes.values()]].flat();
  }

  home(user: string): ViewObject | undefined {
    return this.#homes.get(user);
  }

  find(user: string, viewId: string): ViewObject | undefined {
    return [...this.stack(user), this.#homes.get(user)].find((view) => view?.id === viewId);
  }

  /** Opens a modal in place of whatever modals the person has. */
  open(user: string, input: ViewInput): ViewObject {
    const view = this.#build(input, null);
    this.#stacks.set(user, [view]);
    this.#feed.publish({ type: 'view/opened', user, view }, [user]);
    return view;
  }

  /** Puts a modal on top; undefined when three are open already (`push_limit_reached`). */
  push(user: string, input: ViewInput): ViewObject | undefined {
    const stack = this.stack(user);
    if (stack.length >= 3) {
      return undefined;
    }
    const view = this.#build(input, stack.at(-1) ?? null);
    this.#stacks.set(user, [...stack, view]);
    this.#feed.publish({ type: 'view/opened', user, view }, [user]);
    return view;
  }

  update(key: { viewId?: string; externalId?: string; hash?: string }, input: ViewInput): ViewObject | UpdateError {
    for (const [user, stack] of this.#stacks) {
      const index = stack.findIndex(
        (view) => view.id === key.viewId || (key.externalId !== undefined && view.external_id === key.externalId),
      );
      const old = stack[index];
      if (old === undefined) {
        continue;
      }
      if (key.hash !== undefined && key.hash !== old.hash) {
        return 'hash_conflict';
      }
      const { id, previous_view_id, root_view_id } = old;
      const view = { ...this.#build(input, null), id, previous_view_id, root_view_id };
      stack[index] = view;
      this.#feed.publish({ type: 'view/updated', user, view }, [user]);
      return view;
    }
    return 'not_found';
  }

  publish(user: string, input: ViewInput, hash: string | undefined): ViewObject | 'hash_conflict' {
    const old = this.#homes.get(user);
    if (hash !== undefined && old !== undefined && hash !== old.hash) {
      return 'hash_conflict';
    }
    const fresh = this.#build(input, null);
    const view = old === undefined ? fresh : { ...fresh, id: old.id, root_view_id: old.root_view_id };
    this.#homes.set(user, view);
    this.#feed.publish({ type: 'home/published', user, view }, [user]);
    return view;
  }

  /** Closes the visible modal, or all of them. */
  close(user: string, viewId: string, all: boolean): void {
    const stack = this.stack(user);
    const closed = all ? stack : stack.filter((view) => view.id === viewId);
    this.#stacks.set(
      user,
      stack.filter((view) => !closed.includes(view)),
    );
    for (const view of closed) {
      this.#feed.publish({ type: 'view/closed', user, viewId: view.id }, [user]);
    }
  }

  #build(input: ViewInput, previous: ViewObject | null): ViewObject {
    const { team, app } = this.#directory;
    const id = this.#ids.next('V');
    return {
      id,
      team_id: team.id,
      type: input.type,
      blocks: input.blocks.map((block) => ({ ...block, block_id: block.block_id ?? this.#ids.secret(3) })),
      private_metadata: input.private_metadata ?? '',
      callback_id: input.callback_id ?? '',
      external_id: input.external_id ?? '',
      state: { values: {} },
      hash: `${this.#ids.ts().split('.')[0]}.${this.#ids.secret(4)}`,
      title: input.title ?? null,
      close: input.close ?? null,
      submit: input.submit ?? null,
      clear_on_close: input.clear_on_close ?? false,
      notify_on_close: input.notify_on_close ?? false,
      previous_view_id: previous?.id ?? null,
      root_view_id: previous?.root_view_id ?? id,
      app_id: app.appId,
      app_installed_team_id: team.id,
      bot_id: app.botId,
    };
  }
}
