import type { Clock, CredentialStore, Escrow, LoginBudget } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import { createCredentialStore } from './credentials.ts';
import { createEscrow } from './escrow.ts';
import { createLoginBudget } from './login-budget.ts';
import type { RedisSpace } from './redis.ts';

/** What only workers have. */
export interface SecretStores {
  readonly credentials: CredentialStore;
  readonly escrow: Escrow;
  readonly loginBudget: LoginBudget;
}

/** Builds the stores of secrets; needs the age identities of the worker's site and the mounted escrow directory. */
export function createSecretStores(
  space: RedisSpace,
  options: { readonly identities: readonly Secret[]; readonly escrowDirectory: string; readonly clock: Clock },
): SecretStores {
  return {
    credentials: createCredentialStore(space, options),
    escrow: createEscrow(options.escrowDirectory, options.clock),
    loginBudget: createLoginBudget(space),
  };
}
