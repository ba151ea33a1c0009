import xterm from '@xterm/headless';

/** Changes within this many milliseconds belong to the same frame. */
const SAME_FRAME_MS = 90;

/**
 * Creates a terminal that records its frames. `frames()` returns `{ at, rows }`: milliseconds since the first frame, and the
 * spans of equal style in each row.
 */
export function createScreen(columns, rows) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const frames = [];
  const look = () => {
    const at = Date.now();
    const frame = { at, rows: Array.from({ length: rows }, (_, row) => cells(terminal, row, columns)) };
    const last = frames.at(-1);
    if (last !== undefined && at - last.at < SAME_FRAME_MS) frames[frames.length - 1] = { ...frame, at: last.at };
    else frames.push(frame);
  };
  return {
    write: (bytes) => terminal.write(bytes, look),
    text() {
      const { active } = terminal.buffer;
      return Array.from({ length: rows }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true)).join(
        '\n',
      );
    },
    frames() {
      const first = frames[0]?.at ?? 0;
      return frames.map(({ at, rows: seen }) => ({ at: at - first, rows: seen }));
    },
  };
}

function cells(terminal, row, columns) {
  const { active } = terminal.buffer;
  const line = active.getLine(active.baseY + row);
  const spans = [];
  for (let column = 0; column < columns; column++) {
    const cell = line?.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const inverse = cell.isInverse() !== 0;
    const [front, back] = [color(cell, 'Fg'), color(cell, 'Bg')];
    const look = {
      front: inverse ? (back ?? 'back') : front,
      back: inverse ? (front ?? 'front') : back,
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
    };
    const key = JSON.stringify(look);
    const last = spans.at(-1);
    const text = cell.getChars() || ' ';
    if (last?.key === key) {
      last.text += text;
      last.width += cell.getWidth();
    } else spans.push({ key, ...look, column, width: cell.getWidth(), text });
  }
  return spans.filter(({ text, back }) => back !== undefined || text.trim() !== '').map(({ key: _, ...span }) => span);
}

/** Returns a palette index, `#rrggbb`, or undefined for the terminal's default color. */
function color(cell, which) {
  if (cell[`is${which}Default`]()) return undefined;
  const value = cell[`get${which}Color`]();
  return cell[`is${which}RGB`]() ? `#${value.toString(16).padStart(6, '0')}` : value;
}
