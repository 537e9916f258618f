/** The person API of the lab, and its event stream. */

async function request(method, path, body) {
  const response = await fetch(`lab/chat/${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.message ?? `HTTP ${response.status}`);
  }
  return answer;
}

export function getJson(path, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined)).toString();
  return request('GET', search === '' ? path : `${path}?${search}`);
}

export function postJson(path, body) {
  return request('POST', path, body);
}

export function deleteJson(path) {
  return request('DELETE', path);
}

/** Follows what one person sees; the browser resumes by itself with Last-Event-ID. Answers the function that stops it. */
export function follow(user, after, { onEvent, onState }) {
  const source = new EventSource(`lab/chat/events?${new URLSearchParams({ user, after }).toString()}`);
  source.addEventListener('open', () => onState('open'));
  source.addEventListener('error', () => onState('lost'));
  source.addEventListener('message', (message) => onEvent(JSON.parse(message.data)));
  return () => source.close();
}
