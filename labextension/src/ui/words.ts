import { createContext, useContext } from 'react';

import { ITrans, PLAIN } from '../translation';

/** Who puts the words of the components into the user's language; where no host does, they stand as they are. */
export const Words = createContext<ITrans>(PLAIN);

export function useTrans(): ITrans {
  return useContext(Words);
}
