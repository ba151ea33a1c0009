import { html, raw } from 'hono/html';
import { partyScopeWords } from '../../../home/phone/scope-words.ts';

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; padding: 2rem 1.25rem; max-width: 26rem; }
  .label { font-size: .8rem; letter-spacing: .06em; font-weight: 600; }
  h1 { font-size: 1.3rem; }
  label { display: block; margin: 1rem 0 .25rem; }
  input { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; }
  .error { border-left: 4px solid; padding-left: .75rem; }
  .buttons { display: flex; gap: .75rem; margin-top: 1.5rem; }
  button { flex: 1; font: inherit; padding: .8rem; min-height: 3rem; }
`;

export function consentPage(page: {
  label: string;
  client_id: string;
  scopes: readonly string[];
  parameters: Readonly<Record<string, string>>;
  error?: string;
}) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.label}: connect your account</title>
<style>${raw(style)}</style>
</head>
<body>
<p class="label">SANDBOX · simulated</p>
<h1>Connect your ${page.label} account</h1>
<p><strong>${page.client_id}</strong> asks to:</p>
<ul>${page.scopes.map((scope) => html`<li>${partyScopeWords[scope] ?? scope}</li>`)}</ul>
${page.error === undefined ? '' : html`<p class="error" role="alert">${page.error}</p>`}
<form method="post" action="authorize">
${Object.entries(page.parameters).map(
  ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
)}
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<div class="buttons">
<button name="decision" value="deny" formnovalidate>Deny</button>
<button name="decision" value="allow">Allow</button>
</div>
</form>
</body>
</html>`;
}

export function refusalPage(label: string, reason: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${label}</title><style>${raw(style)}</style></head>
<body><p class="label">SANDBOX · simulated</p><h1>This request can't be answered</h1><p>${reason}</p></body>
</html>`;
}
