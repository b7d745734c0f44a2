import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// React asks for this flag before it lets tests wait for its updates.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

// Lumino names it when it is loaded; jsdom has none.
(globalThis as { DragEvent?: unknown }).DragEvent ??= class DragEvent extends Event {};

afterEach(cleanup);
