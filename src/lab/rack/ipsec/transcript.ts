/**
 * What charon says while two daemons talk.
 *
 * Source: strongSwan 5.9.8 on a real system: `swanctl --initiate` that succeeds, meets another secret, no proposal, nobody.
 */
import type { IkeSa } from '../data-path.ts';

/** One side of a conversation. */
export interface Talk {
  from: string;
  to: string;
}

function sent({ from, to }: Talk, bytes: number): string {
  return `[NET] sending packet: from ${from}[500] to ${to}[500] (${bytes} bytes)`;
}

function received({ from, to }: Talk, bytes: number): string {
  return `[NET] received packet: from ${to}[500] to ${from}[500] (${bytes} bytes)`;
}

const initPayloads = 'SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG)';

/** The first request, before anybody answers. */
export function initLines(talk: Talk, name: string, id: number): string[] {
  return [
    `[IKE] initiating IKE_SA ${name}[${id}] to ${talk.to}`,
    `[ENC] generating IKE_SA_INIT request 0 [ ${initPayloads} N(REDIR_SUP) ]`,
    sent(talk, 240),
  ];
}

/** The same request again. */
export function retransmitLines(talk: Talk, count: number): string[] {
  return [`[IKE] retransmit ${count} of request with message ID 0`, sent(talk, 240)];
}

/** Nobody there takes the connection. */
export function noProposalLines(talk: Talk): string[] {
  return [
    received(talk, 36),
    '[ENC] parsed IKE_SA_INIT response 0 [ N(NO_PROP) ]',
    '[IKE] received NO_PROPOSAL_CHOSEN notify error',
  ];
}

/** Both agree on how to talk. */
export function proposalLines(talk: Talk, proposal: string[]): string[] {
  return [
    received(talk, 248),
    `[ENC] parsed IKE_SA_INIT response 0 [ ${initPayloads} N(CHDLESS_SUP) N(MULT_AUTH) ]`,
    `[CFG] selected proposal: IKE:${proposal.join('/').replaceAll('-', '_')}`,
  ];
}

/** The own side shows who it is, and asks for a child. */
export function authLines(talk: Talk, id: string, child: string | null): string[] {
  return [
    `[IKE] authentication of '${id}' (myself) with pre-shared key`,
    ...(child === null ? [] : [`[IKE] establishing CHILD_SA ${child}`]),
    `[ENC] generating IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr AUTH ${child === null ? 'N(CHDLESS)' : 'SA TSi TSr'} N(EAP_ONLY) N(MSG_ID_SYN_SUP) ]`,
    sent(talk, 256),
  ];
}

/** The other side does not believe it. */
export function refusedLines(talk: Talk): string[] {
  return [
    received(talk, 65),
    '[ENC] parsed IKE_AUTH response 1 [ N(AUTH_FAILED) ]',
    '[IKE] received AUTHENTICATION_FAILED notify error',
  ];
}

/** The IKE SA stands; `child`: what the other side says of the child. */
export function establishedLines(talk: Talk, ike: IkeSa, child: string): string[] {
  const { local, remote, name, id, rekeySeconds } = ike;
  const rekey = Math.round(rekeySeconds * 0.94);
  return [
    received(talk, 224),
    `[ENC] parsed IKE_AUTH response 1 [ IDr AUTH ${child}]`,
    `[IKE] authentication of '${remote.id}' with pre-shared key successful`,
    `[IKE] IKE_SA ${name}[${id}] established between ${talk.from}[${local.id}]...${talk.to}[${remote.id}]`,
    `[IKE] scheduling rekeying in ${rekey}s`,
    `[IKE] maximum IKE_SA lifetime ${rekey + Math.round(rekeySeconds * 0.1)}s`,
  ];
}

/** A further child of an IKE SA that stands. */
export function childLines(talk: Talk, child: string, answer: string): string[] {
  return [
    `[IKE] establishing CHILD_SA ${child}`,
    '[ENC] generating CREATE_CHILD_SA request 2 [ SA No KE TSi TSr ]',
    sent(talk, 272),
    received(talk, 272),
    `[ENC] parsed CREATE_CHILD_SA response 2 [ ${answer}]`,
  ];
}

/** The end of an IKE SA, told to the other side if it answers. */
export function deleteLines(ike: IkeSa, answers: boolean): string[] {
  const talk = { from: ike.local.host, to: ike.remote.host };
  return [
    `[IKE] deleting IKE_SA ${ike.name}[${ike.id}] between ${talk.from}[${ike.local.id}]...${talk.to}[${ike.remote.id}]`,
    `[IKE] sending DELETE for IKE_SA ${ike.name}[${ike.id}]`,
    '[ENC] generating INFORMATIONAL request 3 [ D ]',
    sent(talk, 65),
    ...(answers ? [received(talk, 57), '[ENC] parsed INFORMATIONAL response 3 [ ]', '[IKE] IKE_SA deleted'] : []),
  ];
}
