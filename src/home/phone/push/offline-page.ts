import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; font: 1rem/1.5 system-ui, sans-serif; background: #f4f3ef; color: #1b1d21; }
main { max-width: 22rem; padding: 2rem 1.25rem; text-align: center; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: .5rem 0; }
a { color: inherit; display: inline-block; padding: .75rem 1.25rem; border: 1.5px solid; border-radius: .85rem; font-weight: 650; text-decoration: none; margin-top: .75rem; }
@media (prefers-color-scheme: dark) { body { background: #131519; color: #eceef2; } }
`;

/**
 * What the service worker shows where the home is out of reach. It is nobody's, loads nothing, and tries the address
 * that it stands in for again by itself.
 */
export const offlinePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Not connected</title>
<style>${style}</style>
</head>
<body>
<main>
<h1 data-testid="offline">Not connected</h1>
<p>Your home is out of reach: nothing can be approved now.</p>
<p>This page tries again every five seconds.</p>
<p><a href="/phone">Try now</a></p>
</main>
</body>
</html>
`;

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Allows its own style, by what it says, and nothing else. */
export const offlinePolicy = `default-src 'none'; style-src 'sha256-${sha256(style).toString('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Another one when the page is another. */
export const offlinePath = `/phone/offline/${sha256(offlinePage + offlinePolicy)
  .toString('base64url')
  .slice(0, 12)}`;
