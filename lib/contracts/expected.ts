/** What would have been right, in the words of a problem, where a schema refused a value. */
import type { z } from 'zod';
import { noun } from './noun.ts';

export function expectedBy(issue: z.core.$ZodIssue): string {
  const bound = (n: number | bigint, origin: string): string => {
    if (origin === 'string') return `${n} ${noun(Number(n), 'character')}`;
    return origin === 'array' ? `${n} ${noun(Number(n), 'entry', 'entries')}` : String(n);
  };
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'invalid_format' && issue.format === 'url') return 'an address: https://…';
  if (issue.code === 'too_big')
    return `${issue.inclusive === false ? 'less than' : 'at most'} ${bound(issue.maximum, issue.origin)}`;
  if (issue.code === 'too_small')
    return `${issue.inclusive === false ? 'more than' : 'at least'} ${bound(issue.minimum, issue.origin)}`;
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return [...new Set(issue.errors.map((branch) => branch.map(expectedBy).join(' and ')))].join(', or ');
  return issue.message.replace(/^Invalid discriminator value\. Expected /, 'one of ');
}
