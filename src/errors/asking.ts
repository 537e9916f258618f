import { make, type WithState } from './ops-error.ts';

/** Commands, rights, approvals, and Slack itself. */
export const askingErrors = {
  commandInvalid: (a: { what: string; why: string; next: string }) => make('command-invalid', 'permanent', a),
  targetUnknown: (a: { target: string; suggestion?: string | undefined }) =>
    make('target-unknown', 'permanent', {
      what: `There is no rack, host or DPU called "${a.target}".`,
      why: a.suggestion === undefined ? 'The inventory has nothing like it.' : `Did you mean "${a.suggestion}"?`,
      next: 'Give the name of a rack, host or DPU of the inventory. Nothing was started.',
    }),
  notAllowed: (a: { who: string; action: string; need: string }) =>
    make('not-allowed', 'permanent', {
      what: `${a.who} may not ${a.action}.`,
      why: `That needs ${a.need}.`,
      next: 'Ask somebody who has it, or have the roles in the inventory changed.',
    }),
  notInChannel: (a: { channel: string }) =>
    make('not-in-channel', 'permanent', {
      what: 'dpubot is not in this channel, so it could not post the run here.',
      why: `It has not been invited to ${a.channel}.`,
      next: 'Type `/invite @dpubot` and give the command again. Nothing was started.',
    }),
  runUnknown: (a: { run: number }) =>
    make('run-unknown', 'permanent', {
      what: `There is no run ${a.run}.`,
      why: 'The number was never given, or the run is past its retention.',
      next: '`/dpu runs` lists the newest ones.',
    }),
  runNotInState: (a: { run: number; action: string; state: string; next: string }) =>
    make('run-not-in-state', 'permanent', {
      what: `Run ${a.run} cannot be ${a.action}.`,
      why: `It is ${a.state}.`,
      next: a.next,
    }),
  selfApproval: (a: { run: number; who: string; resumed?: true }) =>
    make('self-approval', 'permanent', {
      what: `${a.who} ${a.resumed ? `set run ${a.run} going again` : `asked for run ${a.run}`} and so cannot approve it.`,
      why: 'A second person has to look at risky work before it starts.',
      next: 'Ask one of the approvers; the buttons stay until the plan expires.',
    }),
  alreadyDecided: (a: { run: number; by: string; verdict: string }) =>
    make('already-decided', 'permanent', {
      what: `Run ${a.run} was already ${a.verdict}.`,
      why: `${a.by} was first.`,
      next: `\`/dpu run ${a.run}\` shows how it goes on.`,
    }),
  approvalExpired: (a: { run: number }) =>
    make('approval-expired', 'permanent', {
      what: `The plan of run ${a.run} has expired.`,
      why: 'Nobody approved it in time, and the cards may have changed since.',
      next: `\`/dpu resume ${a.run}\` makes a fresh plan. Nothing was changed.`,
    }),
  approvalVoid: (a: { run: number; why: string } & WithState) =>
    make('approval-void', 'permanent', {
      what: `The approval of run ${a.run} does not hold any more.`,
      why: a.why,
      next: `\`/dpu resume ${a.run}\` makes a fresh plan and asks again. Nothing ${a.state === undefined ? '' : 'more '}was changed.`,
      state: a.state ?? 'unchanged',
    }),
  halted: (a: { by: string; reason: string }) =>
    make('halted', 'permanent', {
      what: 'All work is halted.',
      why: `${a.by}: ${a.reason}`,
      next: 'Wait for `/dpu unhalt`; running steps end, nothing new starts.',
    }),
  slackUnavailable: (a: { question: string; why: string }) =>
    make('slack-unavailable', 'transient', {
      what: `Slack could not be asked ${a.question}.`,
      why: a.why,
      next: 'Do the same again in a moment; if it stays like this, run `dpubot doctor` with the settings of the bot. Nothing was changed.',
    }),
} as const;
