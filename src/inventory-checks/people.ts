import type { Problem, View } from './view.ts';
import { unknownName } from './view.ts';

/** Roles that the policy names and nobody defines. */
export function roleProblems(view: View): Problem[] {
  const { policy } = view;
  if (!policy) return [];
  const named: { readonly path: Problem['path']; readonly role: string | undefined }[] = [
    ...policy.operate.map((role, index) => ({ path: ['policy', 'operate', index], role })),
    ...policy.administer.map((role, index) => ({ path: ['policy', 'administer', index], role })),
    ...(['disruptive', 'destructive'] as const).flatMap((risk) => [
      { path: ['policy', 'approvals', risk, 'role'], role: policy.approvals[risk].role },
      { path: ['policy', 'approvals', risk, 'andRole'], role: policy.approvals[risk].andRole },
      { path: ['policy', 'approvals', risk, 'selfApprovalRole'], role: policy.approvals[risk].selfApprovalRole },
    ]),
  ];
  return named.flatMap(({ path, role }) => (role === undefined ? [] : unknownName(path, 'role', role, view.roleNames)));
}

/** Channels that can be neither an id nor a name. */
export function channelProblems(view: View): Problem[] {
  return view.channels.flatMap((channel, index) =>
    typeof channel !== 'string' || /^(#[^\s#]{1,80}|[A-Z][A-Z0-9]{2,20})$/.test(channel)
      ? []
      : [{ path: ['channels', index], text: `${channel} is neither a channel id (C0123ABCD) nor a #name` }],
  );
}
