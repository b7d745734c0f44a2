import React from 'react';

import { printable } from '../printable';
import { Todo } from '../types';
import { useTrans } from './words';

type TodosProps = { todos: readonly Todo[]; disabled: boolean; onChange: (todos: Todo[]) => void };

/** What is still to do; the assistant keeps the list, and the user may tick things off. */
export function Todos({ todos, disabled, onChange }: TodosProps): JSX.Element | null {
  const trans = useTrans();
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
        {trans.__('To do')}{' '}
        <span className="jp-jido-faint">
          {left === 0 ? trans.__('all done') : trans.__('%1 of %2 open', left, todos.length)}
        </span>
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
                {todo.status === 'doing' && <span className="jp-jido-faint"> {trans.__('in progress')}</span>}
              </span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
