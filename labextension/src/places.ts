/** Whether two paths are the same notebook: kernels know the file's own, the page the one below the server's root. */

/**
 * @param stored what a kernel noted; absolute.
 * @param path as the contents service names it.
 * @param root the server's root folder; the home folder may stand in it as "~".
 */
export function isSamePlace(stored: string | null | undefined, path: string, root: string): boolean {
  return stored ? contentsPath(stored, root) === driveless(path) : false;
}

/** How the contents service names a stored notebook; null when it is not below the root. */
export function contentsPath(stored: string, root: string): string | null {
  const absolute = stored.replaceAll('\\', '/');
  const folder = root.replaceAll('\\', '/').replace(/\/$/, '');
  if (!folder.startsWith('~')) {
    return absolute.startsWith(`${folder}/`) ? absolute.slice(folder.length + 1) : null;
  }
  // "~/work" stands for a folder in any home.
  const below = `${folder.slice(1)}/`;
  const place = absolute.indexOf(below);
  return place > 0 ? absolute.slice(place + below.length) : null;
}

/** Without the name of a collaborative drive. */
function driveless(path: string): string {
  return path.replace(/^[\w-]+:/, '');
}
