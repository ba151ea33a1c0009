import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { pageStyle } from './page-style.ts';
import { phoneScript } from './phone-script.ts';

/** What the pages load. Their policy forbids anything inline. */
const assets = {
  'phone.css': { type: 'text/css', text: pageStyle },
  'approvals.js': { type: 'text/javascript', text: phoneScript },
} as const;
export type AssetName = keyof typeof assets;

const PATH = '/phone/assets';

/** An asset's address, which is another one when its content is: browsers keep each for good. */
export function assetUrl(name: AssetName): string {
  const digest = createHash('sha256').update(assets[name].text).digest('base64url').slice(0, 12);
  return `${PATH}/${digest}/${name}`;
}

/** Serves them to anybody: nothing in them is anybody's. */
export function createPhoneAssets(): Hono {
  const app = new Hono();
  for (const name of Object.keys(assets) as AssetName[]) {
    const { type, text } = assets[name];
    app.get(assetUrl(name), (context) =>
      context.body(text, 200, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'public, max-age=31536000, immutable',
      }),
    );
  }
  app.all(`${PATH}/*`, (context) => context.text('Not found', 404));
  return app;
}
