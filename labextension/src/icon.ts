import { LabIcon } from '@jupyterlab/ui-components';

import jidoSvg from '../style/icons/jido.svg';

export const jidoIcon = new LabIcon({ name: 'jido:sessions', svgstr: jidoSvg });
