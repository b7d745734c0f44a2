/** Text of a model or a user, made unable to look like another one: the same as `printable` in `jido_jupyter/core/text.py`. */

/**
 * Control characters but line ends and tabs, line and paragraph separators, and what turns the direction of reading:
 * with these, code reads other than it runs, and a title like another one.
 */
const DISGUISES = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with each of these shown as U+FFFD. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(DISGUISES, '\ufffd');
}
