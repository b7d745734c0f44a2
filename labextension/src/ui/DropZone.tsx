import React, { DragEvent, ReactNode, useRef, useState } from 'react';
import { useTrans } from './words';

type DropZoneProps = { className: string; onFiles: (files: File[]) => void; children: ReactNode };

/** Takes files that are dropped anywhere on it, and says so while they are held over it. */
export function DropZone({ className, onFiles, children }: DropZoneProps): JSX.Element {
  const trans = useTrans();
  const depth = useRef(0); // each element inside tells of its own enter and leave
  const [isOver, setOver] = useState(false);
  const move = (by: number) => (event: DragEvent) => {
    if (hasFiles(event)) {
      event.preventDefault();
      depth.current += by;
      setOver(depth.current > 0);
    }
  };
  return (
    <div
      className={className}
      onDragEnter={move(1)}
      onDragLeave={move(-1)}
      onDragOver={event => hasFiles(event) && event.preventDefault()}
      onDrop={event => {
        if (hasFiles(event)) {
          event.preventDefault();
          event.stopPropagation();
          depth.current = 0;
          setOver(false);
          onFiles([...event.dataTransfer.files]);
        }
      }}
    >
      {children}
      {isOver && <div className="jp-jido-drop">{trans.__('Drop to import')}</div>}
    </div>
  );
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer.types.includes('Files');
}
