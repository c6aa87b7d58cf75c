/** Packs pictures into rows that fill the line: pure arithmetic, one pass, linear in the number of pictures. */

export interface Row {
  /** Index of the first picture, and of the one after the last. */
  first: number;
  end: number;
  /** Pixels from the grid's top. */
  top: number;
  height: number;
  /** Pixels, one for each picture. */
  widths: number[];
}

export interface Line {
  width: number;
  gap: number;
  /** The height that rows come as near to as they can. */
  height: number;
}

/** Pack `ratios` (width over height) from index `from` on; the first row begins at pixel `top`. */
export function packRows(ratios: readonly number[], line: Line, from = 0, top = 0): Row[] {
  const rows: Row[] = [];
  let first = from;
  let sum = 0;
  const close = (end: number, height: number): void => {
    const widths = fill(ratios.slice(first, end), line, height);
    const rounded = Math.max(1, Math.round(height));
    rows.push({ first, end, top, height: rounded, widths });
    top += rounded + line.gap;
    first = end;
  };
  for (let index = from; index < ratios.length; index += 1) {
    const ratio = ratios[index] ?? 1;
    const without = heightOf(sum, index - first, line);
    const within = heightOf(sum + ratio, index - first + 1, line);
    if (index > first && within < line.height && without - line.height < line.height - within) {
      close(index, without);
      sum = 0;
    }
    sum += ratio;
    const height = heightOf(sum, index + 1 - first, line);
    if (height <= line.height) {
      close(index + 1, height);
      sum = 0;
    }
  }
  if (first < ratios.length) close(ratios.length, Math.min(line.height, heightOf(sum, ratios.length - first, line)));
  return rows;
}

function heightOf(sum: number, count: number, line: Line): number {
  return sum === 0 ? Infinity : (line.width - line.gap * (count - 1)) / sum;
}

/** Whole pixels; what rounding leaves over goes on into the next picture, so a full row ends exactly at the edge. */
function fill(ratios: readonly number[], line: Line, height: number): number[] {
  let exact = 0;
  let given = 0;
  return ratios.map((ratio) => {
    exact += Math.min(ratio * height, line.width);
    const width = Math.round(exact) - given;
    given += width;
    return width;
  });
}
