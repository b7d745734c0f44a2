/** How what users read gets into their language: the words stand in English where they are used, and are looked up. */

export const DOMAIN = 'jido_jupyter';

/** The part of JupyterLab's `TranslationBundle` that we use. */
export interface ITrans {
  /** The text; `%1`, `%2` stand for the values, `%%` for a percent sign. */
  __(text: string, ...values: unknown[]): string;
  /** The text for so many; `%1` stands for the number, `%2` and on for the values. */
  _n(one: string, many: string, count: number, ...values: unknown[]): string;
}

/** Where no host translates. */
export const PLAIN: ITrans = {
  __: (text, ...values) => text.replace(/%(%|\d)/g, (_, place) => (place === '%' ? '%' : String(values[Number(place) - 1]))),
  _n: (one, many, count, ...values) => PLAIN.__(count === 1 ? one : many, count, ...values)
};
