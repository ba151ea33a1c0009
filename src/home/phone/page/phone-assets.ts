import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { browserScripts } from './browser-scripts.ts';
import { dashboardStyle, entryStyle, pageStyle } from './style.ts';

const script = { type: 'text/javascript' } as const;

/** What the pages load. Their policy forbids anything inline. */
const assets = {
  'phone.css': { type: 'text/css', text: () => pageStyle + entryStyle + dashboardStyle },
  'shell.js': { ...script, text: () => browserScripts()['shell.js'] },
  'passkeys.js': { ...script, text: () => browserScripts()['passkeys.js'] },
  'approvals.js': { ...script, text: () => browserScripts()['approvals.js'] },
  'dashboard.js': { ...script, text: () => browserScripts()['dashboard.js'] },
} as const;
export type AssetName = keyof typeof assets;

const PATH = '/phone/assets';
const digests = new Map<AssetName, string>();

/** An asset's address, which is another one when its content is: browsers keep each for good. */
export function assetUrl(name: AssetName): string {
  let digest = digests.get(name);
  if (digest === undefined) {
    digest = createHash('sha256').update(assets[name].text()).digest('base64url').slice(0, 12);
    digests.set(name, digest);
  }
  return `${PATH}/${digest}/${name}`;
}

export function createPhoneAssets(): Hono {
  const app = new Hono();
  app.get(`${PATH}/:digest/:name`, (context) => {
    const { name } = context.req.param();
    if (!isAsset(name) || assetUrl(name) !== context.req.path) return context.text('Not found', 404);
    const { type, text } = assets[name];
    return context.body(text(), 200, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
  app.all(`${PATH}/*`, (context) => context.text('Not found', 404));
  return app;
}

function isAsset(name: string): name is AssetName {
  return Object.hasOwn(assets, name);
}
