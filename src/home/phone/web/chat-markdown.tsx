import { Fragment, type VNode } from 'preact';
import { formatLocalTime } from './times.ts';

/*
 * Renders the agent's Markdown. A model writes it and may quote strangers, so it becomes text nodes only. Markup stays
 * visible as text, images are not loaded, and a link shows its address. All patterns have bounded lengths, because the
 * author of the text also controls its length.
 */

type Content = VNode | string;

const inlinePattern =
  /`([^`\n]{1,2000})`|\*\*([^*\n]{1,2000})\*\*|(?<![\w*])[*_]([^*_\n]{1,2000})[*_](?![\w*])|!?\[([^\][\n]{1,500})\]\(([^()\s]{1,2000})\)|(https?:\/\/[^\s<>"'()[\]]{1,2000})/g;

/** Returns a list item's key. It contains the position, because two items may have the same text. */
export function listItemKey(index: number, text: string): string {
  return `${index} ${text.slice(0, 40)}`;
}

function renderInline(text: string): Content[] {
  const parts: Content[] = [];
  let end = 0;
  for (const found of text.matchAll(inlinePattern)) {
    const [whole, code, strong, emphasis, label, target, address] = found;
    if (found.index > end) parts.push(text.slice(end, found.index));
    end = found.index + whole.length;
    if (code !== undefined) parts.push(<code>{code}</code>);
    else if (strong !== undefined) parts.push(<strong>{strong}</strong>);
    else if (emphasis !== undefined) parts.push(<em>{emphasis}</em>);
    else parts.push(renderLink(label ?? '', target ?? address ?? ''));
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** Renders a link with its address, because a model may write a misleading label. Links only to http(s) addresses. */
function renderLink(label: string, target: string): Content {
  let address: URL;
  try {
    address = new URL(target);
  } catch {
    return label === '' ? target : `${label} (${target})`;
  }
  if (address.protocol !== 'https:' && address.protocol !== 'http:')
    return label === '' ? target : `${label} (${target})`;
  const link = (
    <a href={address.href} target="_blank" rel="noopener noreferrer nofollow">
      {target}
    </a>
  );
  return label === '' || label === target ? (
    link
  ) : (
    <>
      {label} ({link})
    </>
  );
}

interface Lines {
  readonly all: readonly string[];
  at: number;
}

/** Consumes and returns lines until a line does not match. */
function takeWhile(lines: Lines, matches: (line: string) => boolean): string[] {
  const from = lines.at;
  while (lines.at < lines.all.length && matches(lines.all[lines.at] ?? '')) lines.at += 1;
  return lines.all.slice(from, lines.at);
}

const itemPattern = /^\s{0,8}(?:[-*+]|\d{1,4}[.)])\s+/;
const fencePattern = /^\s*(```+|~~~+)/;
const headingPattern = /^#{1,6}\s+/;
const isTable = (line: string) => line.trimStart().startsWith('|');
const startsBlock = (line: string) =>
  line.trim() === '' ||
  isTable(line) ||
  [itemPattern, fencePattern, headingPattern].some((pattern) => pattern.test(line));

function renderBlock(lines: Lines): Content {
  const line = lines.all[lines.at] ?? '';
  const fence = fencePattern.exec(line)?.[1];
  if (fence !== undefined) {
    lines.at += 1;
    const code = takeWhile(lines, (next) => !next.trim().startsWith(fence));
    lines.at += 1;
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      <pre tabIndex={0}>
        <code>{code.join('\n')}</code>
      </pre>
    );
  }
  if (headingPattern.test(line)) {
    lines.at += 1;
    return <h2>{renderInline(line.replace(headingPattern, ''))}</h2>;
  }
  if (isTable(line)) return renderTable(takeWhile(lines, isTable));
  if (itemPattern.test(line)) {
    const items = takeWhile(lines, (next) => itemPattern.test(next)).map((item, index) => (
      <li key={listItemKey(index, item)}>{renderInline(item.replace(itemPattern, ''))}</li>
    ));
    return /^\s*\d/.test(line) ? <ol>{items}</ol> : <ul>{items}</ul>;
  }
  const first = lines.at;
  lines.at += 1;
  takeWhile(lines, (next) => !startsBlock(next));
  const rows = lines.all.slice(first, lines.at);
  return (
    <p>
      {rows.map((row, index) => (
        <Fragment key={listItemKey(index, row)}>
          {index === 0 ? null : <br />}
          {renderInline(row)}
        </Fragment>
      ))}
    </p>
  );
}

function renderTable(rows: readonly string[]): Content {
  const cells = rows.map((row) =>
    row
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim()),
  );
  const isRule = (row: readonly string[]) => row.every((cell) => /^:?-{1,100}:?$/.test(cell));
  const rule = cells.findIndex(isRule);
  const [head, body] = rule === 1 ? [cells[0], cells.slice(2)] : [undefined, cells.filter((row) => !isRule(row))];
  const isNumber = (cell: string) => /^[-+]?\$?[\d,]{1,40}(?:\.\d{1,40})?%?$/.test(cell);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Table">
      <table>
        {head === undefined ? null : (
          <thead>
            <tr>
              {head.map((cell, column) => (
                <th key={listItemKey(column, cell)} class={isNumber(body[0]?.[column] ?? '') ? 'number' : ''}>
                  {renderInline(cell)}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {body.map((row, index) => (
            <tr key={listItemKey(index, row[0] ?? '')}>
              {row.map((cell, column) => (
                <td key={listItemKey(column, cell)} class={isNumber(cell) ? 'number' : ''}>
                  {renderInline(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Markdown({ text }: { readonly text: string }) {
  const lines: Lines = { all: text.split('\n'), at: 0 };
  const blocks: Content[] = [];
  while (lines.at < lines.all.length) {
    if ((lines.all[lines.at] ?? '').trim() === '') lines.at += 1;
    else blocks.push(renderBlock(lines));
  }
  return <div class="markdown">{blocks}</div>;
}

/** Matches UTC times in the server's formats: RFC 3339, or `2026-11-26 14:30:00 UTC`. */
const timePattern = /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?: UTC|Z)/g;

/** Renders plain text. Converts times in it to the browser's time zone. */
export function LocalizedText({ text }: { readonly text: string }) {
  return <>{text.replace(timePattern, (_, day: string, time: string) => formatLocalTime(`${day}T${time}Z`))}</>;
}
