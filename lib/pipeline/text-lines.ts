/** Lines of a stream of bytes, whatever its size: no more than one line and one piece are held at a time. */
export interface TextLine {
  /** Without its line break. The beginning alone, where the line was longer than allowed. */
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/** Empty lines are left out. A line of more than `longest` bytes comes cut. */
export async function* textLines(pieces: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<TextLine> {
  let kept: Buffer[] = [];
  let size = 0;
  const line = (): TextLine => {
    const bytes = Buffer.concat(kept);
    const cut = size > longest;
    kept = [];
    const ended = { bytes: !cut && bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes, whole: !cut };
    size = 0;
    return ended;
  };
  const keep = (part: Buffer): void => {
    if (size < longest) kept.push(part.subarray(0, longest - size));
    size += part.length;
  };
  for await (const piece of pieces) {
    const buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let from = 0;
    for (let end = buffer.indexOf(BREAK); end !== -1; end = buffer.indexOf(BREAK, from)) {
      keep(buffer.subarray(from, end));
      const next = line();
      if (next.bytes.length > 0) yield next;
      from = end + 1;
    }
    keep(buffer.subarray(from));
  }
  const last = line();
  if (last.bytes.length > 0) yield last;
}

const BREAK = 10;
const RETURN = 13;
