import { describe, expect, it } from 'vitest';
import { plain, widthOf } from '../../lib/cli/plain.ts';

describe('text from data on a terminal', () => {
  it('shows what would move the cursor, change colours or turn the direction of writing', () => {
    expect(plain('a\u001b[31m\u0007\u009b\u202egnp.exe\u2066\u2028')).toBe(
      'a\\u001b[31m\\u0007\\u009b\\u202egnp.exe\\u2066\\u2028',
    );
    expect(plain('Zürich 東京 😀 אב')).toBe('Zürich 東京 😀 אב');
  });

  it('takes two columns for wide characters, none for marks', () => {
    expect(['abc', 'Zürich', 'Zu\u0308rich', '東京', 'ﾄｳ', '😀', 'אב', '\u200b'].map(widthOf)).toEqual([
      3, 6, 6, 4, 2, 2, 2, 0,
    ]);
  });
});
