import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// React asks for this flag before it lets tests wait for its updates.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

afterEach(cleanup);
