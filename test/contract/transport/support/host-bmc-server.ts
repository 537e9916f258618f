import { type BmcHandler, type BmcReply, type BmcRequest, redfishMessage } from './bmc-server.ts';

/** State and traits of a small management controller of a host, as different vendors have them. */
export interface HostBmc {
  user: string;
  password: string;
  locked: boolean;
  /** Where its service root says that sessions are made; undefined = it names none. */
  sessionsPath: string | undefined;
  /** Answers every login with this. */
  sessionsStatus: number | undefined;
  sessionsBody: unknown;
  /** iLO says 400 to a wrong password. */
  wrongStatus: number;
  /** The right password has to be changed first: 201 with a message, or 403. */
  mustChangeStatus: number | undefined;
  rootIsLocked: boolean;
  /** Redirects every path without a slash at its end there, with this status. */
  slashStatus: number | undefined;
  /** Passwords of all logins with a session, in order. */
  readonly tries: string[];
  readonly sessions: Set<string>;
  readonly resources: Map<string, (request: BmcRequest) => BmcReply>;
  readonly handler: BmcHandler;
}

const changeRequired = redfishMessage('PasswordChangeRequired', 'The password must be changed.');

/** A controller with one account that makes sessions at the usual place. */
export function createHostBmc(user: string, password: string): HostBmc {
  let made = 0;
  const bmc: HostBmc = {
    user,
    password,
    locked: false,
    sessionsPath: '/redfish/v1/SessionService/Sessions',
    sessionsStatus: undefined,
    sessionsBody: undefined,
    wrongStatus: 401,
    mustChangeStatus: undefined,
    rootIsLocked: false,
    slashStatus: undefined,
    tries: [],
    sessions: new Set(),
    resources: new Map(),
    handler(request) {
      const path = request.path.replace(/\/$/, '');
      if (bmc.slashStatus !== undefined && path === request.path)
        return { status: bmc.slashStatus, headers: { Location: `${path}/` } };
      if (path === '/redfish/v1') return root();
      if (path === bmc.sessionsPath && request.method === 'POST') return login(request);
      return isAllowed(request) ? serve(request, path) : { status: 401 };
    },
  };

  function root(): BmcReply {
    if (bmc.rootIsLocked) return { status: 401 };
    return { body: { Links: bmc.sessionsPath === undefined ? {} : { Sessions: { '@odata.id': bmc.sessionsPath } } } };
  }

  function login(request: BmcRequest): BmcReply {
    if (bmc.sessionsStatus !== undefined) return { status: bmc.sessionsStatus, body: bmc.sessionsBody };
    const { UserName, Password } = JSON.parse(request.body) as { UserName: string; Password: string };
    bmc.tries.push(Password);
    if (bmc.locked) return { status: 401, body: redfishMessage('RAC0212', 'The account is temporarily locked.') };
    if (UserName !== bmc.user || Password !== bmc.password)
      return { status: bmc.wrongStatus, body: redfishMessage('UnauthorizedLoginAttempt', 'The login was refused.') };
    if (bmc.mustChangeStatus === 403) return { status: 403, body: changeRequired };
    made += 1;
    bmc.sessions.add(`token-of-session-${made}`);
    return {
      status: 201,
      headers: { 'X-Auth-Token': `token-of-session-${made}`, Location: `${bmc.sessionsPath}/${made}` },
      body: bmc.mustChangeStatus === 201 ? changeRequired : { Id: `${made}` },
    };
  }

  function isAllowed({ headers }: BmcRequest): boolean {
    const basic = `Basic ${Buffer.from(`${bmc.user}:${bmc.password}`).toString('base64')}`;
    const token = headers['x-auth-token'];
    return headers.authorization === basic || (typeof token === 'string' && bmc.sessions.has(token));
  }

  function serve(request: BmcRequest, path: string): BmcReply {
    if (request.method === 'DELETE') {
      bmc.sessions.delete(`token-of-session-${path.split('/').at(-1)}`);
      return { status: 204 };
    }
    const resource = bmc.resources.get(path);
    if (resource !== undefined) return resource(request);
    if (path === '/redfish/v1/Systems') return { body: { Members: [] } };
    return { status: 404, body: redfishMessage('ResourceNotFound', 'There is no such resource.') };
  }

  return bmc;
}
