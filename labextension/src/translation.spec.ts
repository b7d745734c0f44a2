import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { DOMAIN, PLAIN } from './translation';

describe('where no host translates', () => {
  const theirs = nullTranslator.load(DOMAIN);

  it.each([
    ['Nothing to fill in', []],
    ['“%1” in %2, %1 again', ['A', 7]],
    ['%1', ['$& %2']],
    ['%%1 of %1: 100%', [3]]
  ])('texts read as JupyterLab writes them: %s', (text, values) => {
    expect(PLAIN.__(text, ...values)).toBe(theirs.__(text, ...values));
  });

  it.each([0, 1, 2])('numbers choose their form as there: %i', count => {
    const given = ['%1 message in %2', '%1 messages in %2', count, 'a.ipynb'] as const;

    expect(PLAIN._n(...given)).toBe(theirs._n(...given));
  });
});
