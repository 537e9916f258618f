import express, { type Request, type Response, type Router } from 'express';
import { isObject } from './blocks/report.ts';
import { sees } from './feed.ts';
import { type Fault, type FaultName, faultNames } from './faults.ts';
import type { Lab } from './lab.ts';
import { setAccount, setMembership } from './membership.ts';
import { deleteMessage, messages, openHome, PersonError, press, say, userOf } from './person.ts';
import { closeView, submitView, viewsOf } from './person-views.ts';
import type { Choice, Choices } from './state.ts';
import { clearFault, setFault } from './switch-fault.ts';
import { markRead, unreadOfAll } from './unread.ts';

const heartbeatMs = 15_000;

type Body = Record<string, unknown>;

/** The person API as JSON over HTTP under `/lab/chat`; errors are `{error, message}` with status 400. */
export function createPersonRouter(lab: Lab): Router {
  const router = express.Router();
  router.use(express.json({ limit: '1mb' }));
  router.get('/info', (_request, response) => {
    response.json(infoOf(lab));
  });
  router.get('/stats', (_request, response) => {
    response.json(lab.stats.snapshot());
  });
  router.get('/events', (request, response) => {
    streamEvents(lab, request, response);
  });
  router.get('/messages', (request, response) => {
    const limit = query(request, 'limit');
    const found = messages(lab, {
      user: query(request, 'user') ?? '',
      channel: query(request, 'channel') ?? '',
      threadTs: query(request, 'threadTs'),
      limit: limit === undefined ? undefined : Number(limit),
    });
    response.json({ messages: found, lastEventId: lab.feed.lastId });
  });
  router.get('/unread', (_request, response) => {
    response.json(unreadOfAll(lab));
  });
  router.get('/views', (request, response) => {
    response.json(viewsOf(lab, { user: query(request, 'user') ?? '' }));
  });
  addActions(router, lab);
  addFaults(router, lab);
  router.get('/files/:id', (request, response) => {
    const user = userOf(lab, query(request, 'user') ?? '');
    if (!mayRead(lab, user.id, request.params.id)) {
      response
        .status(404)
        .json({ error: 'file-not-found', message: `${user.name} sees no file ${request.params.id}.` });
      return;
    }
    sendFile(lab, request.params.id, response);
  });
  router.use((error: unknown, _request: Request, response: Response, next: (error: unknown) => void) => {
    if (!(error instanceof PersonError)) {
      next(error);
      return;
    }
    response.status(400).json({ error: error.code, message: error.message });
  });
  return router;
}

function addActions(router: Router, lab: Lab): void {
  const post = (path: string, act: (body: Body) => unknown): void => {
    router.post(path, async (request, response) => {
      const body: unknown = request.body;
      const result = await act(isObject(body) ? body : {});
      response.json(result ?? { ok: true });
    });
  };
  post('/say', (body) =>
    say(lab, {
      user: word(body, 'user'),
      channel: word(body, 'channel'),
      text: word(body, 'text'),
      threadTs: maybe(body, 'threadTs'),
    }),
  );
  post('/press', (body) =>
    press(lab, {
      user: word(body, 'user'),
      actionId: maybe(body, 'actionId'),
      label: maybe(body, 'label'),
      blockId: maybe(body, 'blockId'),
      channel: maybe(body, 'channel'),
      ts: maybe(body, 'ts'),
      viewId: maybe(body, 'viewId'),
      choice: body.choice as Choice | undefined,
      values: isObject(body.values) ? (body.values as Choices) : undefined,
    }),
  );
  post('/views/submit', (body) =>
    submitView(lab, {
      user: word(body, 'user'),
      viewId: word(body, 'viewId'),
      values: isObject(body.values) ? (body.values as Choices) : undefined,
    }),
  );
  post('/views/close', (body) => closeView(lab, { user: word(body, 'user'), viewId: word(body, 'viewId') }));
  post('/home', (body) => {
    openHome(lab, { user: word(body, 'user'), tab: maybe(body, 'tab') === 'messages' ? 'messages' : 'home' });
    return { channel: lab.directory.directMessage(userOf(lab, word(body, 'user')).id).id };
  });
  post('/read', (body) => markRead(lab, { user: word(body, 'user'), channel: word(body, 'channel') }));
  post('/membership', (body) =>
    setMembership(lab, {
      user: word(body, 'user'),
      group: maybe(body, 'group'),
      channel: maybe(body, 'channel'),
      member: body.member === true,
    }),
  );
  post('/account', (body) =>
    setAccount(lab, {
      user: word(body, 'user'),
      deleted: isBoolean(body.deleted),
      isRestricted: isBoolean(body.isRestricted),
    }),
  );
  post('/delete', (body) =>
    deleteMessage(lab, { user: word(body, 'user'), channel: word(body, 'channel'), ts: word(body, 'ts') }),
  );
}

function addFaults(router: Router, lab: Lab): void {
  router.get('/faults', (_request, response) => {
    response.json({ faults: lab.faults.list() });
  });
  router.post('/faults', (request, response) => {
    const body: unknown = request.body;
    if (!isObject(body) || !faultNames.includes(body.fault as FaultName)) {
      throw new PersonError('unknown-fault', `A fault is one of ${faultNames.join(', ')}.`);
    }
    setFault(lab, body as Fault);
    response.json({ faults: lab.faults.list() });
  });
  router.delete(['/faults', '/faults/:name'], (request, response) => {
    clearFault(lab, request.params.name as FaultName | undefined);
    response.json({ faults: lab.faults.list() });
  });
}

function infoOf(lab: Lab): object {
  const { team, app, users, channels, groups } = lab.directory;
  return { url: `${lab.origin}/`, apiUrl: `${lab.origin}/api/`, team, app, users, channels, groups };
}

/** Server-sent events of what one person sees; `Last-Event-ID` (or `?after=`) resumes, a lost place sends `resync`. */
function streamEvents(lab: Lab, request: Request, response: Response): void {
  const user = userOf(lab, query(request, 'user') ?? '');
  const after = request.get('last-event-id') ?? query(request, 'after');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const write = (id: string, event: object): void => {
    response.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  response.write('retry: 1000\n');
  const missed = after === undefined ? [] : lab.feed.since(after);
  if (missed === undefined) {
    write(lab.feed.lastId, { type: 'resync' });
  } else if (missed.length === 0) {
    response.write(`id: ${lab.feed.lastId}\n\n`);
  } else {
    for (const entry of missed.filter((one) => sees(one, user.id))) {
      write(entry.id, entry.event);
    }
  }
  const stop = lab.feed.follow((entry) => {
    if (sees(entry, user.id)) {
      write(entry.id, entry.event);
    } else if (entry.event.type === 'message/new') {
      // Not what, only that: the page shows who else has something to read.
      write(entry.id, { type: 'elsewhere' });
    }
  });
  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
  response.on('close', () => {
    clearInterval(heartbeat);
    stop();
  });
}

/** Whether a person is in a channel that shows the file, or has a view that does. */
function mayRead(lab: Lab, userId: string, fileId: string): boolean {
  const shownIn = lab.files.shownIn(fileId);
  if (shownIn.has(userId)) {
    return true;
  }
  return lab.directory.channels.some((channel) => shownIn.has(channel.id) && channel.members.includes(userId));
}

/** Sends an uploaded file to the page; only pictures are shown in place. */
export function sendFile(lab: Lab, id: string, response: Response): void {
  const file = lab.files.find(id);
  const bytes = lab.files.bytesOf(id);
  if (file === undefined || bytes === undefined) {
    response.status(404).json({ error: 'file-not-found', message: `There is no file ${id}.` });
    return;
  }
  const inline = lab.files.isUsableImage(id);
  response
    .set('content-type', inline ? file.mimetype : 'application/octet-stream')
    .set(
      'content-disposition',
      `${inline ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    )
    .send(bytes);
}

function query(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function word(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') {
    throw new PersonError('missing-field', `The field ${name} is missing.`);
  }
  return value;
}

function isBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function maybe(body: Body, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
