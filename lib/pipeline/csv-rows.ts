/** Rows of CSV as RFC 4180 has them: quotes, doubled quotes, line breaks within quotes; LF or CRLF. Empty lines are no rows. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string;
    if (text[at] === '"') {
      const parts: string[] = [];
      let from = at + 1;
      for (;;) {
        const end = text.indexOf('"', from);
        if (end === -1) throw new Error('a quoted field does not end');
        parts.push(text.slice(from, end));
        if (text[end + 1] !== '"') {
          at = end + 1;
          break;
        }
        parts.push('"');
        from = end + 2;
      }
      field = parts.join('');
    } else {
      let end = at;
      while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++;
      field = text.slice(at, end);
      at = end;
    }
    row.push(field);
    if (text[at] === ',') {
      at++;
      if (at === text.length) row.push('');
      continue;
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') throw new Error('text behind a quoted field');
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 1 || (row.length === 1 && row[0] !== '')) rows.push(row);
  return rows;
}
