/** Hands cells to the page, which puts them below the cell that shows this; see cells.py. */

const INSERT_CELLS = 'jido:insert-cells';

function render({ model, el }) {
  let isGone = false;
  const say = text => (el.textContent = text);

  function place() {
    if (isGone) {
      return;
    }
    if (!el.isConnected) {
      requestAnimationFrame(place); // an event of an element that stands nowhere reaches nobody
      return;
    }
    const cells = model.get('cells');
    if (!model.get('is_placed')) {
      const event = new CustomEvent(INSERT_CELLS, { bubbles: true, composed: true, cancelable: true, detail: { cells } });
      if (el.dispatchEvent(event)) {
        say(model.get('told')); // nobody took them
        return;
      }
      model.set('is_placed', true);
      model.save_changes();
    }
    say(`${cells.length} cells were put below this one.`);
  }

  place();
  return () => (isGone = true);
}

export default { render };
