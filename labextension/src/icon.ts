import { LabIcon } from '@jupyterlab/ui-components';

import jidoSvg from '../style/icons/jido.svg';

export const jidoIcon = new LabIcon({ name: 'jido:sessions', svgstr: jidoSvg });

/** The same as an address, for where an image is asked for. An image cannot take the theme's colours: this one suits them all. */
export const jidoImage = `data:image/svg+xml,${encodeURIComponent(jidoSvg.replaceAll('#616161', '#1976d2'))}`;
