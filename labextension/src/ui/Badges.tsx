import React, { useState } from 'react';

import { ownerPlace, ownerSentence } from '../phrases';
import { Summary } from '../types';
import { useTrans } from './words';

type BadgesProps = {
  session: Summary;
  isCurrent: boolean;
  /** Tags that are shown; the others stand behind "+n". */
  most: number;
  /** "+n" shows them all. */
  canExpand?: boolean;
};

/** What is special about a session; nothing for a closed one without marks. */
export function Badges({ session, isCurrent, most, canExpand }: BadgesProps): JSX.Element | null {
  const trans = useTrans();
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? session.tags.length : most;
  const badges: JSX.Element[] = [];
  if (isCurrent) {
    badges.push(<Badge key="state" kind="current" text={trans.__('Open here')} />);
  } else if (session.state === 'open') {
    const title = ownerSentence(session.owner, trans);
    badges.push(<Badge key="state" kind="open" text={ownerPlace(session.owner, trans)} title={title} />);
  }
  if (session.state === 'damaged') {
    badges.push(<Badge key="damaged" kind="damaged" text={trans.__('Damaged')} />);
  }
  if (session.pinned) {
    badges.push(<Badge key="pinned" kind="mark" text={trans.__('Pinned')} />);
  }
  if (session.archived) {
    badges.push(<Badge key="archived" kind="mark" text={trans.__('Archived')} />);
  }
  for (const tag of session.tags.slice(0, shown)) {
    badges.push(<Badge key={`tag ${tag}`} kind="tag" text={`#${tag}`} title={`#${tag}`} />);
  }
  const rest = session.tags.slice(shown);
  if (rest.length > 0) {
    const [text, title] = [`+${rest.length}`, rest.map(tag => `#${tag}`).join(' ')];
    badges.push(
      canExpand ? (
        <button key="rest" type="button" className="jp-jido-chip" title={title} onClick={() => setWhole(true)}>
          {text}
        </button>
      ) : (
        <Badge key="rest" kind="tag" text={text} title={title} />
      )
    );
  }
  return badges.length === 0 ? null : <div className="jp-jido-badges">{badges}</div>;
}

export function Badge({
  kind,
  text,
  title
}: {
  kind: string;
  text: string;
  title?: string;
}): JSX.Element {
  return (
    <span className={`jp-jido-badge jp-jido-mod-${kind}`} title={title}>
      {text}
    </span>
  );
}
