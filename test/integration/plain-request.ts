import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';

/** As any program can ask: with whatever Host and headers it likes, and none that `fetch` adds. Posts where there is a form. */
export async function plainRequest(
  url: URL,
  {
    method,
    headers = {},
    form,
  }: { method?: string; headers?: Record<string, string>; form?: Record<string, string> } = {},
) {
  const body = form === undefined ? undefined : String(new URLSearchParams(form));
  const asking = httpRequest(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) }),
      ...headers,
    },
  });
  asking.end(body);
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  // A stream is of interest by its beginning.
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk;
    if (answer.headers['content-type'] === 'text/event-stream') break;
  }
  return { status: answer.statusCode ?? 0, text, headers: answer.headers };
}
