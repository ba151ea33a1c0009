import { describe, expect, it } from 'vitest';
import {
  formatRedirectTarget,
  hasAppScheme,
  isAllowedRedirect,
} from '../../../../src/home/identity-provider/authorization/public-client.ts';

describe('where a program may be answered', () => {
  it.each([
    ['https://agent.example/callback', 'agent.example', false],
    ['http://127.0.0.1/callback', '127.0.0.1', false],
    ['http://localhost:9298/oauth/callback', 'localhost:9298', false],
    ['http://[::1]:1/cb', '[::1]:1', false],
    ['cursor://anysphere.cursor-retrieval/oauth/callback', 'cursor:', true],
    ['vscode://vscode.github-authentication/did-authenticate', 'vscode:', true],
    ['VSCode-Insiders://x/y', 'vscode-insiders:', true],
    ['com.example.app:/oauth2redirect', 'com.example.app:', true],
    ['com.googleusercontent.apps.123-ab://cb', 'com.googleusercontent.apps.123-ab:', true],
  ])('%s: at %s', (redirect, shown, ofApp) => {
    expect(isAllowedRedirect(redirect)).toBe(true);
    expect(formatRedirectTarget(redirect)).toBe(shown);
    expect(hasAppScheme(new URL(redirect))).toBe(ofApp);
  });

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT://com.example/%0aalert(1)',
    'java.script+x:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'blob:https://agent.example/x',
    'about:blank',
    'vbscript:x',
    'view-source:https://agent.example',
    'intent://agent.example#Intent;scheme=https;end',
    'mailto:a@agent.example',
    'ms-msdt:/id',
    'search-ms:query=x',
    'ftp://agent.example/',
    'ws://127.0.0.1/',
    'myapp://callback',
    'x-trade-agent:/cb',
    '.app:/cb',
    'com.:/cb',
    'http://agent.example/callback',
    'http://127.0.0.1.agent.example/callback',
    'https://user@agent.example/callback',
    'https://agent.example/callback#x',
    'com.example.app:/cb#',
    'com.example.app://user:pass@x/cb',
    `com.example.app:/${'x'.repeat(500)}`,
    '/callback',
    '',
    7,
  ])('never at %s', (redirect) => {
    expect(isAllowedRedirect(redirect)).toBe(false);
  });
});
