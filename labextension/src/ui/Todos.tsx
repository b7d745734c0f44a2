import React from 'react';

import { printable } from '../printable';
import { Todo } from '../types';

type TodosProps = { todos: readonly Todo[]; disabled: boolean; onChange: (todos: Todo[]) => void };

/** What is still to do; the assistant keeps the list, and the user may tick things off. */
export function Todos({ todos, disabled, onChange }: TodosProps): JSX.Element | null {
  if (todos.length === 0) {
    return null;
  }
  const left = todos.filter(todo => todo.status !== 'done').length;
  const toggle = (place: number): void =>
    onChange(
      todos.map((todo, other) =>
        other === place ? { ...todo, status: todo.status === 'done' ? 'open' : 'done' } : todo
      )
    );
  return (
    <details className="jp-jido-todos" data-testid="jido-todos" open={left > 0}>
      <summary>
        To do <span className="jp-jido-faint">{left === 0 ? 'all done' : `${left} of ${todos.length} open`}</span>
      </summary>
      <ul>
        {todos.map((todo, place) => (
          <li key={place}>
            <label className={todo.status === 'done' ? 'jp-jido-mod-done' : undefined}>
              <input
                type="checkbox"
                checked={todo.status === 'done'}
                disabled={disabled}
                onChange={() => toggle(place)}
              />
              <span>
                {printable(todo.text)}
                {todo.status === 'doing' && <span className="jp-jido-faint"> in progress</span>}
              </span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
