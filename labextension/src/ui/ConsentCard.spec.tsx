// @vitest-environment jsdom

import { render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { ConsentCard } from './ConsentCard';

const ODD = 'rm\u202e';

it('says how long the code is that does not stand there at a glance', () => {
  const asked = (lines: number) => ({ id: 'c', tool: 'run_code', summary: 'Fit', code: 'x = 1\n'.repeat(lines).trim() });
  const { rerender } = render(<ConsentCard consent={asked(3)} onSettle={() => {}} />);
  const short = screen.getByTestId('jido-consent').textContent;
  rerender(<ConsentCard consent={asked(40)} onSettle={() => {}} />);

  expect(short).not.toContain('lines');
  expect(screen.getByTestId('jido-consent').textContent).toContain('40 lines: scroll to read all of it.');
});

it('colours the code and keeps each letter of it', () => {
  const code = 'def f(x):\n    return "<b>" # why';
  render(<ConsentCard consent={{ id: 'c', tool: 'run_code', summary: 'Fit', code }} onSettle={() => {}} />);

  const shown = screen.getByLabelText('The code');

  expect(shown.textContent).toBe(code);
  expect(shown.querySelector('.jp-jido-code-keyword')?.textContent).toBe('def');
});

it('shows what would disguise what is asked for', () => {
  render(<ConsentCard consent={{ id: 'c', tool: ODD, summary: ODD, code: ODD }} onSettle={() => {}} />);

  const shown = screen.getByTestId('jido-consent').outerHTML;

  expect(shown).toContain('rm\ufffd');
  expect(shown).not.toContain('\u202e');
});
