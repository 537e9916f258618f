import { type BmcHandler, type BmcReply, type BmcRequest, redfishMessage } from './bmc-server.ts';

/** State of a small OpenBMC: one account, sessions, and whatever resources a test puts in. */
export interface OpenBmc {
  password: string;
  /** How the factory password is answered at the login: a limited session, or 403 without one. */
  factoryStyle: 'session' | '403' | 'empty-403';
  locked: boolean;
  /** Passwords of all login tries, in order. */
  readonly tries: string[];
  readonly sessions: Set<string>;
  readonly resources: Map<string, (request: BmcRequest) => BmcReply>;
  readonly handler: BmcHandler;
}

const sessionsPath = '/redfish/v1/SessionService/Sessions';
const changeRequired = redfishMessage('PasswordChangeRequired', 'The password must be changed.');

/** An OpenBMC with that password; `0penBmc` has to be changed before anything else is allowed. */
export function createOpenBmc(password: string): OpenBmc {
  let made = 0;
  const bmc: OpenBmc = {
    password,
    factoryStyle: 'session',
    locked: false,
    tries: [],
    sessions: new Set(),
    resources: new Map(),
    handler: (request) =>
      request.path === sessionsPath && request.method === 'POST' ? login(request) : serve(request),
  };

  function login(request: BmcRequest): BmcReply {
    const { Password } = JSON.parse(request.body) as { Password: string };
    bmc.tries.push(Password);
    if (bmc.locked) return { status: 401, body: 'Account temporarily locked out' };
    if (Password !== bmc.password) return { status: 401, body: 'Invalid username or password' };
    const mustChange = bmc.password === '0penBmc';
    if (mustChange && bmc.factoryStyle === '403') return { status: 403, body: changeRequired };
    if (mustChange && bmc.factoryStyle === 'empty-403') return { status: 403 };
    made += 1;
    const token = `token-of-session-${made}`;
    bmc.sessions.add(token);
    return {
      status: 201,
      headers: { 'X-Auth-Token': token, Location: `${sessionsPath}/${made}` },
      body: { Id: `${made}` },
    };
  }

  function serve(request: BmcRequest): BmcReply {
    const { path, method, headers } = request;
    const basic = `Basic ${Buffer.from(`root:${bmc.password}`).toString('base64')}`;
    const token = headers['x-auth-token'];
    if (headers.authorization !== basic && !(typeof token === 'string' && bmc.sessions.has(token)))
      return { status: 401, body: 'Unauthorized' };
    if (method === 'DELETE' && path.startsWith(`${sessionsPath}/`)) {
      bmc.sessions.delete(`token-of-session-${path.split('/').at(-1)}`);
      return { status: 204 };
    }
    const isOwnAccount = path === '/redfish/v1/AccountService/Accounts/root';
    if (bmc.password === '0penBmc' && !isOwnAccount) return { status: 403, body: changeRequired };
    if (isOwnAccount && method === 'PATCH') {
      bmc.password = (JSON.parse(request.body) as { Password: string }).Password;
      return { status: 200, body: redfishMessage('Success', 'The request completed successfully.') };
    }
    const resource = bmc.resources.get(path);
    if (resource !== undefined) return resource(request);
    if (path === '/redfish/v1/Managers') return { body: { Members: [] } };
    return { status: 404, body: redfishMessage('ResourceNotFound', 'There is no such resource.') };
  }

  return bmc;
}
