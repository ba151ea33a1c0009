/** A person in front of Keycloak's own pages: follows redirects, keeps cookies, fills in and sends forms. */
export interface Browser {
  open(url: string): Promise<string>;
  /** Sends the page's form with these fields added to its own. */
  submit(fields: Record<string, string>): Promise<string>;
  /** The page shown now. */
  page(): string;
}

const MOST_REDIRECTS = 10;
const LIMIT_MS = 30_000;

export function openBrowser(): Browser {
  const cookies = new Map<string, string>();
  let address = '';
  let html = '';

  const go = async (url: string, init: RequestInit): Promise<string> => {
    let request = init;
    let next = url;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await fetch(next, {
        ...request,
        redirect: 'manual',
        signal: AbortSignal.timeout(LIMIT_MS),
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/max-age=0/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) {
        address = next;
        html = await response.text();
        return html;
      }
      next = new URL(location, next).href;
      request = { method: 'GET' };
    }
    throw new Error(`${url} redirects without end`);
  };

  return {
    page: () => html,
    open: (url) => go(url, { method: 'GET' }),
    submit(fields) {
      const form = /<form\b[^>]*>[\s\S]*?<\/form>/.exec(html)?.[0] ?? '';
      const action = plain(/<form\b[^>]*\baction="([^"]*)"/.exec(form)?.[1] ?? '');
      const body = new URLSearchParams();
      for (const [input] of form.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)) {
        const name = /\bname="([^"]*)"/.exec(input)?.[1];
        if (name) body.set(name, plain(/\bvalue="([^"]*)"/.exec(input)?.[1] ?? ''));
      }
      for (const [name, value] of Object.entries(fields)) body.set(name, value);
      return go(new URL(action, address).href, { method: 'POST', body });
    },
  };
}

const plain = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#x2F;', '/');
