import React from 'react';

/** Outlines on a 16 px grid, drawn in the colour of the text beside them. */
const PATHS = {
  archive: 'M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.5h3',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  close: 'm4 4 8 8m0-8-8 8',
  choose: 'M2.5 2.5h11v11h-11zM5 8l2.2 2.2L11 6',
  copy: 'M5.5 5.5h7.5v8H5.5zM10.5 5.5v-3H3v8h2.5',
  down: 'M8 3v9.5M4.2 8.8 8 12.5l3.8-3.7',
  download: 'M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.3h10',
  eject: 'm8 3.5 4.5 5.5h-9zM3.5 12.5h9',
  eye: 'M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z',
  fork: 'M4.5 5.5v5m0-5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zm0 5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zm7-5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zm0 0c0 3-7 1.5-7 5',
  fold: 'm6 4 4 4-4 4',
  list: 'M2.5 4h11m-11 4h11m-11 4h11',
  more: 'M3 8h1M7.5 8h1M12 8h1',
  pen: 'm3 13 .6-2.6L11 3l2 2-7.4 7.4z',
  pin: 'M8 10v3.5M5.5 2.5h5l-.5 4 2 3.5H4l2-3.5z',
  plus: 'M8 3v10M3 8h10',
  restore: 'M3 3.5v3.5h3.5M3.3 7A5 5 0 1 1 4 11',
  retry: 'M13 3.5v3.5H9.5M12.7 7A5 5 0 1 0 12 11',
  rewind: 'M13 8H3.5M7.5 4l-4 4 4 4M13 4.5v7',
  save: 'm3 8.5 3.2 3.2L13 4.8',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm3.3-1.2 3.2 3.2',
  send: 'M8 13V3.5M4 7.2l4-4 4 4',
  stop: 'M4.5 4.5h7v7h-7z',
  tag: 'M3 3h4.5l5.5 5.5L8.5 13 3 7.5zM5.5 5.5v.1',
  seal: 'M8 2 3 4v3.6c0 3 2.1 5.3 5 6.4 2.9-1.1 5-3.4 5-6.4V4zM5.8 7.9l1.6 1.6 2.8-3',
  trash: 'M3 4.5h10M6.3 4.5V3h3.4v1.5M4.4 4.5l.6 8.5h6l.6-8.5M6.8 7v3.8M9.2 7v3.8',
  unfold: 'm4 6 4 4 4-4',
  upload: 'M8 10.7v-8M4.8 5.7 8 2.5l3.2 3.2M3 13.3h10',
  warning: 'M8 2.6 14.2 13.2H1.8zM8 6.6v3M8 11.2v.3'
};

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg className="jp-jido-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
