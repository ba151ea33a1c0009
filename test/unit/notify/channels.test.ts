import { describe, expect, it } from 'vitest';
import { getChannelKind, type NoticeChannelKind, noticeChannelSchema } from '../../../src/config/notice-channels.ts';
import type { Notice } from '../../../src/notify/notice.ts';
import { createChannelSender } from '../../../src/notify/open-channel.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { loadNoticeSecrets, noticeSecretRequirement, storeNoticeSecret } from '../../../src/secrets/notice-secrets.ts';

/** What every kind of channel must keep to: a new one needs its line here, and runs against all of this. */
const channels: Record<
  NoticeChannelKind,
  {
    readonly settings: object;
    readonly secret?: string;
    /** Settings that send it somewhere else. */
    readonly elsewhere?: object;
    /** What can't be its secret. */
    readonly noSecret?: string;
    /** Whether it posts by HTTP. */
    readonly posts?: true;
  }
> = {
  desktop: { settings: {} },
  email: {
    settings: { host: 'smtp.example.com', user: 'alice', from: 'a@example.com', to: ['b@example.com'] },
    secret: 'correct horse',
    elsewhere: { host: 'smtp.example.org' },
  },
  slack: {
    settings: {},
    secret: 'https://hooks.example.com/services/T0/B0/very-secret',
    noSecret: 'http://hooks.example.com',
    posts: true,
  },
  webhook: {
    settings: { url: 'https://example.com/hook' },
    secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
    elsewhere: { url: 'https://example.org/hook' },
    noSecret: 'whsec_short',
    posts: true,
  },
  ntfy: {
    settings: { topic: 'alice' },
    secret: 'tk_very_secret',
    elsewhere: { server: 'https://ntfy.example.com' },
    noSecret: 'two words',
    posts: true,
  },
};

const notice: Notice = {
  id: 'nt_abc-123',
  type: 'finding',
  severity: 'critical',
  title: 'AAPL fell',
  body: 'By 5 %.',
  at: '2026-11-24T17:00:00.000Z',
  data: {},
};

/** A server that answers 204, and what came to it. */
function recorder() {
  const posts: { readonly url: URL; readonly init: RequestInit }[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}) => {
    posts.push({ url: new URL(String(url)), init });
    return new Response(null, { status: 204 });
  };
  return {
    posts,
    deps: {
      fetch,
      env: {},
      platform: 'linux',
      now: () => 0,
      command: 'trade-agent notices',
    } as const,
  };
}

/** A credential store of one entry. */
function memoryStore(): CredentialStore {
  let kept: string | undefined;
  const store: Pick<CredentialStore, 'get' | 'set'> = {
    get: async () => ({ notice_secrets: kept }) as never,
    set: async ({ notice_secrets }) => {
      kept = notice_secrets;
      return true;
    },
  };
  return store as CredentialStore;
}

/** The kinds, with what is told of them above: those alone that are told all of `needed`. */
function kindsWith(...needed: (keyof (typeof channels)[NoticeChannelKind])[]) {
  return Object.entries(channels)
    .filter(([, sample]) => needed.every((key) => sample[key] !== undefined))
    .map(([kind, sample]) => [kind, sample, noticeChannelSchema.parse({ kind, ...sample.settings })] as const);
}

const signal = new AbortController().signal;

describe('a channel', () => {
  it.each(kindsWith())('of kind %s is refused with a setting that nobody knows', (kind, { settings }) => {
    expect(noticeChannelSchema.safeParse({ kind, ...settings, tpoic: 'x' }).success).toBe(false);
  });

  it.each(kindsWith())('of kind %s says where it goes, and nothing secret with it', (_, { secret }, channel) => {
    const destination = getChannelKind(channel).destination(channel);
    expect(destination).not.toBe('');
    if (secret !== undefined) expect(destination).not.toContain(secret);
  });

  it.each(kindsWith())('of kind %s says whether it has a secret, and what that is', (_, { secret }, channel) => {
    expect(noticeSecretRequirement(channel) === 'none').toBe(secret === undefined);
    expect(getChannelKind(channel).secret?.words(channel) ?? 'none').toMatch(/\w/);
  });

  it.each(kindsWith('secret'))('of kind %s sends nothing without a secret it must have', async (_, __, channel) => {
    const { posts, deps } = recorder();
    const sent = createChannelSender('c', channel, undefined, deps)(notice, signal);
    if (noticeSecretRequirement(channel) === 'required') {
      await expect(sent).rejects.toMatchObject({ code: 'secret_missing' });
      expect(posts).toEqual([]);
    } else {
      await sent;
      expect(posts).toHaveLength(1);
    }
  });

  it.each(kindsWith('secret', 'elsewhere'))(
    'of kind %s does not take its secret along to another place',
    async (kind, { settings, secret, elsewhere }, channel) => {
      const store = memoryStore();
      await storeNoticeSecret(store, 'c', channel, secret ?? '');
      const secretOf = await loadNoticeSecrets(store);
      expect(secretOf('c', channel)).toBe(secret);
      expect(secretOf('c', noticeChannelSchema.parse({ kind, ...settings, ...elsewhere }))).toBe(undefined);
    },
  );

  it.each(kindsWith('noSecret'))('of kind %s refuses what can be no secret of it', async (_, sample, channel) => {
    const kept = storeNoticeSecret(memoryStore(), 'c', channel, sample.noSecret ?? '');
    await expect(kept).rejects.toMatchObject({ code: 'usage' });
  });

  it.each(kindsWith('posts'))('of kind %s posts once by https, and follows nothing', async (_, { secret }, channel) => {
    const { posts, deps } = recorder();
    await createChannelSender('c', channel, secret, deps)(notice, signal);
    const [first, ...more] = posts;
    expect(more).toEqual([]);
    expect(first?.url.protocol).toBe('https:');
    expect(first?.init).toMatchObject({ method: 'POST', redirect: 'manual' });
    expect(String(first?.init.body)).toContain('AAPL fell');
  });
});
