import { expect, it } from 'vitest';

import { printable } from './printable';

it('shows what would disguise a text', () => {
  expect(printable('a\u202eb\u2066c\u0000d\u001b[31m\u0085\u2028')).toBe('a\ufffdb\ufffdc\ufffdd\ufffd[31m\ufffd\ufffd');
});

it('keeps lines, tabs and every language', () => {
  const text = 'x\ty\nשלום مرحبا 😀 \u200d\u200f é';

  expect(printable(text)).toBe(text);
  expect(printable('a\r\nb')).toBe('a\nb');
});
