import { make, type Cause } from './ops-error.ts';

/** Settings, inventory, Redis, credentials, and workers that come and go. */
export const setupErrors = {
  configInvalid: (a: { problems: readonly string[] }) =>
    make('config-invalid', 'permanent', {
      what: `Cannot start: ${a.problems.length} setting${a.problems.length === 1 ? ' is' : 's are'} wrong.`,
      why: a.problems.join('; '),
      next: 'Fix them in .env; see .env.example.',
    }),
  inventoryInvalid: (a: { file: string; problems: readonly string[] }) =>
    make('inventory-invalid', 'permanent', {
      what: `The inventory ${a.file} has ${a.problems.length} problem${a.problems.length === 1 ? '' : 's'}.`,
      why: a.problems.join('; '),
      next: 'Correct the file and run `dpubot inventory check FILE`; a running process keeps the last good one.',
    }),
  inventoryDiffers: (a: { host: string }) =>
    make('inventory-differs', 'permanent', {
      what: `${a.host} is described differently on this worker than when the run was made.`,
      why: 'The worker and the run have other inventory entries for this host.',
      next: 'Bring the inventory of bot and workers to the same version and start a new run.',
    }),
  redisUnfit: (a: { problem: string }) =>
    make('redis-unfit', 'permanent', {
      what: 'Redis is not fit to hold runs.',
      why: a.problem,
      next: 'Set `maxmemory-policy noeviction` on a Redis of version 6.2 or newer and start again.',
    }),
  storeUnavailable: (a: { operation: string } & Cause) =>
    make('store-unavailable', 'transient', {
      what: `Redis did not answer while trying to ${a.operation}.`,
      why: a.cause instanceof Error ? a.cause.message : 'the connection is down',
      next: 'Look with `/dpu runs` whether it happened before you repeat it; runs go on by themselves when Redis is back.',
      cause: a.cause,
    }),
  storeCorrupt: (a: { key: string; problem: string }) =>
    make('store-corrupt', 'permanent', {
      what: `The record ${a.key} in Redis cannot be read.`,
      why: a.problem,
      next: 'Restore Redis from its append-only file or a backup; dpubot does not guess and changed nothing.',
    }),
  credentialPending: (a: { ref: string }) =>
    make('credential-pending', 'permanent', {
      what: `A new password for ${a.ref} is already waiting to be confirmed.`,
      why: 'An earlier run filed it and did not get to log in with it; filing another one would lose it.',
      next: 'Try the pending password first; only when the card refuses it may it be replaced.',
    }),
  jobLockLost: () =>
    make('job-lock-lost', 'transient', {
      what: 'This worker lost its claim on a job.',
      why: 'It could not renew the lock of the job in Redis in time.',
      next: 'It stopped before the next write; the run goes on from the journal by itself.',
      state: 'unknown',
    }),
  workerStopping: () =>
    make('worker-stopping', 'transient', {
      what: 'This worker is shutting down.',
      why: 'It was told to stop and the time for finishing was over.',
      next: 'The run goes on from the journal by itself as soon as a worker is free.',
      state: 'unknown',
    }),
  credentialMissing: (a: { ref: string }) =>
    make('credential-missing', 'permanent', {
      what: `The credential "${a.ref}" is not in the store.`,
      why: 'The inventory refers to it, but nobody has imported it.',
      next: `Run \`dpubot credentials import ${a.ref} FILE\` on a machine that can reach Redis.`,
    }),
  credentialUnreadable: (a: { ref: string }) =>
    make('credential-unreadable', 'permanent', {
      what: `The credential "${a.ref}" cannot be decrypted.`,
      why: 'It was encrypted to another age recipient than the identity of this worker.',
      next: "Check the site's `recipient` and DPUBOT_AGE_IDENTITY, then import the credential again.",
    }),
  escrowFailed: (a: { directory: string } & Cause) =>
    make('escrow-failed', 'permanent', {
      what: 'The new password could not be written to the escrow directory.',
      why: a.cause instanceof Error ? a.cause.message : `${a.directory} is not writable`,
      next: 'Mount the directory of DPUBOT_ESCROW writable; no password was sent to the card.',
      cause: a.cause,
    }),
} as const;
